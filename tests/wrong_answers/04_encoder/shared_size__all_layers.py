"""Counts all layers, as the chapter's formula does: nothing is shared.

answer: shared-size
caught by: test-shared-size
message: count the weights of one layer, not of twelve
"""


def shared_size(config):
    e, i = config.hidden_size, config.intermediate_size
    embeddings = (config.vocab_size + config.max_position_embeddings + config.type_vocab_size) * e + 2 * e
    layer = 4 * (e * e + e) + (2 * e * i + i + e) + 4 * e
    return embeddings + config.num_hidden_layers * layer + e * e + e
