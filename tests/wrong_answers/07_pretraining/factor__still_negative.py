"""Mends the drop and forgets that a run may take more steps than planned.

answer: factor
caught by: test-factor
message: what does the optimiser do with that?
"""


def factor(progress, warmup):
    if progress < warmup:
        return progress / warmup
    return (1 - progress) / (1 - warmup)
