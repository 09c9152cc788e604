"""Takes the later shares of all words instead of the visible ones.

answer: predictions
caught by: test-predictions
message: what stands below the fraction line
"""

predictions = {
    "of all words: become [MASK]": 12,
    "of all words: are scored": 15,
    "of all words: the input differs from the original": 13.5,
    "of the scored words: are visible, right or wrong": 20,
    "of the visible words: are wrong": 1.5,
    "of the visible words: are scored": 3,
    "of texts of 20 words: nothing in them is scored": 3.9,
}
