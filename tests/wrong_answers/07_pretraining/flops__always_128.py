"""Puts the sequence length of the example into the formula.

answer: flops
caught by: test-flops
message: use `length`
"""


def training_flops(config, tokens, length, scored=0.15):
    e, i = config.hidden_size, config.intermediate_size
    layer = 4 * e**2 + 2 * e * i + 2 * 128 * e
    head = scored * (e**2 + e * config.vocab_size)
    return 6 * tokens * (config.num_hidden_layers * layer + head)
