"""Multiplies by the text, not by the way from the baseline.

answer: integrate
caught by: test-integrate
message: the way is the difference
"""


def integrate(score, baseline, text, steps=64):
    """Each token's part of score(text) - score(baseline): (S,)."""
    way, slopes = text - baseline, torch.zeros_like(text)
    for step in range(steps):
        point = (baseline + (step + 0.5) / steps * way).detach().requires_grad_()
        (slope,) = torch.autograd.grad(score(point), point)
        slopes = slopes + slope / steps
    return (slopes * text).sum(-1).detach()
