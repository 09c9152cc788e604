"""Forgets the residual path.

answer: roll-out
caught by: test-roll-out
message: half of the residual path
"""


def roll_out(layers, keep=0.5):
    """How much of each token (column) reaches each place (row) through all layers: (S, S)."""
    size = layers[0].shape[-1]
    reached = torch.eye(size)
    for weights in layers:
        mixed = weights.mean(0)
        reached = mixed @ reached
    return reached
