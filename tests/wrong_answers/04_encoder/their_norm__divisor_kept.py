"""Moves epsilon under the root and keeps the division by one less than the count.

answer: their-norm
caught by: test-their-norm
message: by which count does x.std divide
"""


def their_norm(x, gamma, beta, eps):
    variance = x.var(-1, keepdim=True)
    return gamma * (x - x.mean(-1, keepdim=True)) / torch.sqrt(variance + eps) + beta
