"""Takes the slope at the text alone: gradient times input.

answer: integrate
caught by: test-integrate
message: take the mean over the way
"""


def integrate(score, baseline, text, steps=64):
    """Each token's part of score(text) - score(baseline): (S,)."""
    way, slopes = text - baseline, torch.zeros_like(text)
    for _ in range(steps):
        point = (text + 0 * way).detach().requires_grad_()
        (slope,) = torch.autograd.grad(score(point), point)
        slopes = slopes + slope / steps
    return (slopes * way).sum(-1).detach()
