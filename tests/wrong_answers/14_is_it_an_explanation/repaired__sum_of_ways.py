"""One mean slope, times the mean way: slopes and ways of different baselines get mixed.

answer: repaired
caught by: test-repaired
message: its own slope and its own way
"""


def repaired(score, baselines, text, shares):
    """Each token's part, (S,): a mean over the baselines, from one point of each way."""
    points = (baselines + shares[:, None, None] * (text - baselines)).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(sum(score(point) for point in points), points)
    return (slopes.mean(0) * (text - baselines).mean(0)).sum(-1)
