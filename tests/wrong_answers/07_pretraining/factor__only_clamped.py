"""Mends what was reported first, the negative values, and leaves the drop after the warm-up.

answer: factor
caught by: test-factor
message: that is the sudden drop
"""


def factor(progress, warmup):
    if progress < warmup:
        return progress / warmup
    return max(0.0, 1 - progress)
