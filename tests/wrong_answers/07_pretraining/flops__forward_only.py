"""Counts two FLOPs for each weight and forgets the way back.

answer: flops
caught by: test-flops
message: are all layers and the backward pass in it?
"""


def training_flops(config, tokens, length, scored=0.15):
    e, i = config.hidden_size, config.intermediate_size
    layer = 4 * e**2 + 2 * e * i + 2 * length * e
    head = scored * (e**2 + e * config.vocab_size)
    return 2 * tokens * (config.num_hidden_layers * layer + head)
