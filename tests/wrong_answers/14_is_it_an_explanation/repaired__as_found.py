"""Hands the program back as it was.

answer: repaired
caught by: test-repaired
message: still half of each sum
"""


def repaired(score, baselines, text, shares):
    """Each token's part, (S,): a mean over the baselines, from one point of each way."""
    text = text.detach().clone().requires_grad_()
    parts = torch.zeros(len(text))
    for baseline, share in zip(baselines, shares, strict=True):
        point = baseline + share * (text - baseline)
        (slope,) = torch.autograd.grad(score(point), text)
        parts += (slope * (text - baseline)).sum(-1).detach()
    return parts / len(baselines)
