"""Weighs each place, then takes the mean over all places, filled-up ones included.

answer: scored-loss
caught by: test-scored-loss
message: filled-up places enter the loss
"""


def scored_loss(logits, targets, weights):
    cost = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (cost * weights.flatten()).mean()
