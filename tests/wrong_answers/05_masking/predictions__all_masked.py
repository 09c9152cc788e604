"""Believes that 15% are replaced by [MASK], as popular explanations say.

answer: predictions
caught by: test-predictions
message: what becomes of the selected is decided afterwards
"""

predictions = {
    "of all words: become [MASK]": 15,
    "of all words: are scored": 15,
    "of all words: the input differs from the original": 15,
    "of the scored words: are visible, right or wrong": 0,
    "of the visible words: are wrong": 0,
    "of the visible words: are scored": 0,
    "of texts of 20 words: nothing in them is scored": 3.9,
}
