"""Counts the head at every token, as many implementations compute it.

answer: flops
caught by: test-flops
message: Is the head counted at the scored share only
"""


def training_flops(config, tokens, length, scored=0.15):
    e, i = config.hidden_size, config.intermediate_size
    layer = 4 * e**2 + 2 * e * i + 2 * length * e
    return 6 * tokens * (config.num_hidden_layers * layer + e**2 + e * config.vocab_size)
