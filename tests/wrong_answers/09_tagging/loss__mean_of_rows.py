"""A mean for each sentence, then the mean of these.

answer: loss
caught by: test-loss
message: the loss of the places with a label is
"""


def token_loss(logits, labels):
    return torch.stack([F.cross_entropy(a, b) for a, b in zip(logits, labels, strict=False)]).mean()
