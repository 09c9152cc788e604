"""Reasons that AdamW does not notice the size of a gradient, so it cannot notice clipping either.

answer: predictions
caught by: test-predictions
message: What does AdamW remember from step to step
"""

names = [
    "multiply every loss by 1,000",
    "multiply every loss by 1,000, with plain gradient descent",
    "shuffle the rows within each batch",
    "take the batches in the opposite order",
    "clip at norm 0.001, so that every step is clipped",
    "two halves of each batch, accumulated",
    "after three steps, go on with a new AdamW",
    "weight decay 0, and the same decay added to the gradient instead",
]
predictions = dict(zip(names, [True, False, True, False, True, True, False, False], strict=True))
