"""Walks from zeros, whatever the baseline is.

answer: integrate
caught by: test-integrate
message: the way begins there
"""


def integrate(score, baseline, text, steps=64):
    """Each token's part of score(text) - score(baseline): (S,)."""
    way, slopes = text - baseline, torch.zeros_like(text)
    for step in range(steps):
        point = ((step + 0.5) / steps * text).detach().requires_grad_()
        (slope,) = torch.autograd.grad(score(point), point)
        slopes = slopes + slope / steps
    return (slopes * way).sum(-1).detach()
