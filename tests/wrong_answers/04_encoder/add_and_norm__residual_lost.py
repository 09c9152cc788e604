"""The bug itself: the conditional expression swallows the sum.

answer: add-and-norm
caught by: test-add-and-norm
message: the residual x is lost
"""


def add_and_norm(x, sublayer, norm, drop, dropout=True):
    return norm(x + drop(sublayer(x)) if dropout else sublayer(x))
