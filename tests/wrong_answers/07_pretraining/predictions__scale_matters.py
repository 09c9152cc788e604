"""Believes that a larger loss means larger steps, whatever the optimiser.

answer: predictions
caught by: test-predictions
message: multiply every loss by 1,000
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
predictions = dict(zip(names, [False, False, True, False, False, True, False, False], strict=True))
