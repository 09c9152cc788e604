"""Averages over the tokens of a sequence too, as in pictures of layer norm for images.

answer: their-norm
caught by: test-their-norm
message: is it taken over the last axis alone
"""


def their_norm(x, gamma, beta, eps):
    axes = (-2, -1) if x.dim() > 1 else (-1,)
    centred = x - x.mean(axes, keepdim=True)
    return gamma * centred / torch.sqrt(centred.square().mean(axes, keepdim=True) + eps) + beta
