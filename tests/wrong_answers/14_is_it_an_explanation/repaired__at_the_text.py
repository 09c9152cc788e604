"""Takes the slope at the text, not at the point.

answer: repaired
caught by: test-repaired
message: *at the point*
"""


def repaired(score, baselines, text, shares):
    """Each token's part, (S,): a mean over the baselines, from one point of each way."""
    text = text.detach().clone().requires_grad_()
    parts = torch.zeros(len(text))
    for baseline in baselines:
        (slope,) = torch.autograd.grad(score(text), text)
        parts += (slope * (text - baseline)).sum(-1).detach()
    return parts / len(baselines)
