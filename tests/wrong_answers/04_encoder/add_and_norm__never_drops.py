"""Gets the residual back by leaving dropout out of both branches.

answer: add-and-norm
caught by: test-add-and-norm
message: dropout belongs on the sub-layer's output alone
"""


def add_and_norm(x, sublayer, norm, drop, dropout=True):
    return norm(x + sublayer(x))
