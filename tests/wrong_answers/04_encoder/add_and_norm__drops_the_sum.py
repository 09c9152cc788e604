"""Drops from the sum, residual included.

answer: add-and-norm
caught by: test-add-and-norm
message: dropout belongs on the sub-layer's output alone
"""


def add_and_norm(x, sublayer, norm, drop, dropout=True):
    total = x + sublayer(x)
    return norm(drop(total) if dropout else total)
