"""Argues that three of twenty are scored, so none is impossible.

answer: predictions
caught by: test-predictions
message: what stands below the fraction line
"""

predictions = {
    "of all words: become [MASK]": 12,
    "of all words: are scored": 15,
    "of all words: the input differs from the original": 13.5,
    "of the scored words: are visible, right or wrong": 20,
    "of the visible words: are wrong": 1.7,
    "of the visible words: are scored": 3.4,
    "of texts of 20 words: nothing in them is scored": 0,
}
