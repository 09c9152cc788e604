"""Takes the slope at the end of each part.

answer: integrate
caught by: test-integrate
message: from zeros, each token's part
"""


def integrate(score, baseline, text, steps=64):
    """Each token's part of score(text) - score(baseline): (S,)."""
    way, slopes = text - baseline, torch.zeros_like(text)
    for step in range(steps):
        point = (baseline + (step + 1.0) / steps * way).detach().requires_grad_()
        (slope,) = torch.autograd.grad(score(point), point)
        slopes = slopes + slope / steps
    return (slopes * way).sum(-1).detach()
