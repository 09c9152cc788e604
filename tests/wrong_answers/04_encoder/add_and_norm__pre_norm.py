"""Normalises the input of the sub-layer: pre-norm, as many tutorials show it.

answer: add-and-norm
caught by: test-add-and-norm
message: sum first, then norm
"""


def add_and_norm(x, sublayer, norm, drop, dropout=True):
    transformed = sublayer(norm(x))
    return x + (drop(transformed) if dropout else transformed)
