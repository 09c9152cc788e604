"""Divides by the sums of the columns, so that columns sum to 1.

answer: repaired-mix
caught by: test-repaired-mix
message: rows must sum to 1, not columns
"""


def repaired_mix(weights, drop):
    """(B, H, S, S) to (B, S, S): rows sum to 1; in every text the weakest `drop` of its weights are dropped."""
    strongest = weights.max(dim=1).values
    flat = strongest.flatten(1)
    weakest = flat.topk(int(drop * flat.shape[1]), dim=1, largest=False).indices
    kept = flat.scatter(1, weakest, 0.0).view_as(strongest)
    mixed = (kept + torch.eye(strongest.shape[-1])) / 2
    return mixed / mixed.sum(dim=-2, keepdim=True)
