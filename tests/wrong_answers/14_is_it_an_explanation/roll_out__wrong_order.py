"""Multiplies in the order of the list.

answer: roll-out
caught by: test-roll-out
message: mind the order
"""


def roll_out(layers, keep=0.5):
    """How much of each token (column) reaches each place (row) through all layers: (S, S)."""
    size = layers[0].shape[-1]
    reached = torch.eye(size)
    for weights in layers:
        mixed = keep * torch.eye(size) + (1 - keep) * weights.mean(0)
        reached = reached @ mixed
    return reached
