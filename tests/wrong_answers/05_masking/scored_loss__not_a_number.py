"""Picks the real places out, and divides nothing by nothing where there is none.

answer: scored-loss
caught by: test-scored-loss
message: nothing is scored, and the loss is nan
"""


def scored_loss(logits, targets, weights):
    real = weights.flatten() > 0
    return F.cross_entropy(logits.flatten(0, 1)[real], targets.flatten()[real])
