"""The mean of the rows' means: right as long as all rows have equally many places.

answer: scored-loss
caught by: test-scored-loss
message: a mean of the rows' means weighs them differently
"""


def scored_loss(logits, targets, weights):
    cost = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none") * weights
    return (cost.sum(1) / weights.sum(1).clamp(min=1)).mean()
