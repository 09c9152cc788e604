"""Hands the program back as it was.

answer: repaired
caught by: test-repaired
message: the rows sum to
"""


def repaired(layers, dropped=0.5):
    """The rollout of the largest weights: (H, S, S) per layer to (S, S), whose rows sum to 1."""
    result = torch.eye(layers[0].shape[-1])
    for weights in layers:
        mean = weights.mean(0)
        least = mean.flatten().topk(int(mean.numel() * dropped), largest=False).indices
        mean = mean.flatten().index_fill(0, least, 0.0).view_as(mean)
        mixed = (mean + torch.eye(len(mean))) / 2
        mixed = mixed / mixed.sum(-1)
        result = mixed @ result
    return result
