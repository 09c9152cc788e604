"""Knows by heart that a layer has twelve times the width squared.

answer: flops
caught by: test-flops
message: wrong for another model, length or scored share
"""


def training_flops(config, tokens, length, scored=0.15):
    e = config.hidden_size
    layer = 12 * e**2 + 2 * length * e
    head = scored * (e**2 + e * config.vocab_size)
    return 6 * tokens * (config.num_hidden_layers * layer + head)
