"""Only tidies the code: the average still comes before the weights.

answer: scored-loss
caught by: test-scored-loss
message: filled-up places enter the loss
"""


def scored_loss(logits, targets, weights):
    mean = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    return (mean * weights).sum() / weights.sum()
