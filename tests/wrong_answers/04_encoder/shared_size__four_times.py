"""Takes the feed-forward width to be four times the hidden size, as it is in all published BERTs.

answer: shared-size
caught by: test-shared-size
message: use the configuration's own numbers
"""


def shared_size(config):
    e = config.hidden_size
    embeddings = (config.vocab_size + config.max_position_embeddings + config.type_vocab_size) * e + 2 * e
    layer = 4 * (e * e + e) + 2 * e * 4 * e + 5 * e + 4 * e
    return embeddings + layer + e * e + e
