"""Divides by all places, labelled or not.

answer: loss
caught by: test-loss
message: the loss of the places with a label is
"""


def token_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / labels.numel()
