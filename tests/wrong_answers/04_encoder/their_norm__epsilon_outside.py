"""Repairs the divisor and leaves epsilon beside the standard deviation.

answer: their-norm
caught by: test-their-norm
message: it belongs under the root
"""


def their_norm(x, gamma, beta, eps):
    spread = x.std(-1, keepdim=True, correction=0)
    return gamma * (x - x.mean(-1, keepdim=True)) / (spread + eps) + beta
