"""Believes that half a row and half an identity sum to 1 by themselves, which they do before weights are dropped.

answer: repaired-mix
caught by: test-repaired-mix
message: each row must sum to 1
"""


def repaired_mix(weights, drop):
    """(B, H, S, S) to (B, S, S): rows sum to 1; in every text the weakest `drop` of its weights are dropped."""
    strongest = weights.max(dim=1).values
    flat = strongest.flatten(1)
    weakest = flat.topk(int(drop * flat.shape[1]), dim=1, largest=False).indices
    kept = flat.scatter(1, weakest, 0.0).view_as(strongest)
    return (kept + torch.eye(strongest.shape[-1])) / 2
