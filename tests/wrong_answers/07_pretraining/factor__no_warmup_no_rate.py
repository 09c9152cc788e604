"""Counts the end of the warm-up as part of it, and answers 0 where there is none to avoid dividing by zero.

answer: factor
caught by: test-factor
message: the first step has the whole learning rate
"""


def factor(progress, warmup):
    if progress <= warmup:
        return progress / warmup if warmup else 0.0
    return max(0.0, (1 - progress) / (1 - warmup))
