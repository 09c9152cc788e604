"""Drops in every text what is weakest in any of them.

answer: repaired-mix
caught by: test-repaired-mix
message: every text of a batch loses its own weakest weights
"""


def repaired_mix(weights, drop):
    """(B, H, S, S) to (B, S, S): rows sum to 1; in every text the weakest `drop` of its weights are dropped."""
    strongest = weights.max(dim=1).values
    flat = strongest.flatten(1)
    weakest = flat.topk(int(drop * flat.shape[1]), dim=1, largest=False).indices
    flat = flat.clone()
    flat[:, weakest.flatten()] = 0
    mixed = (flat.view_as(strongest) + torch.eye(strongest.shape[-1])) / 2
    return mixed / mixed.sum(dim=-1, keepdim=True)
