"""The sense of the nearest labelled state, not of the nearest mean.

answer: guess-senses
caught by: test-guess-senses
message: not the nearest state
"""


def guess_senses(states, senses, asked):
    distances = (asked[:, None] - states).square().sum(-1)
    return senses.long()[distances.argmin(1)]
