"""Counts the matrices and forgets the biases and the norms.

answer: shared-size
caught by: test-shared-size
message: every bias and the pooler
"""


def shared_size(config):
    e, i = config.hidden_size, config.intermediate_size
    tables = (config.vocab_size + config.max_position_embeddings + config.type_vocab_size) * e
    return tables + 4 * e * e + 2 * e * i + e * e
