"""Takes the absolute value, so that the learning rate rises again after the end.

answer: factor
caught by: test-factor
message: after the planned end the factor should be 0
"""


def factor(progress, warmup):
    if progress < warmup:
        return progress / warmup
    return abs(1 - progress) / (1 - warmup)
