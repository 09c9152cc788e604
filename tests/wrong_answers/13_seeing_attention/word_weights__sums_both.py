"""Adds up out of a word as well as into it.

answer: word-weights
caught by: test-word-weights
message: what comes from the pieces is averaged
"""


def word_weights(weights, words):
    """Weights between words; `words` holds a tuple of places for each, such as [(1,), (2, 3)]."""
    rows = torch.stack([weights[list(places)].sum(0) for places in words])
    return torch.stack([rows[:, list(places)].sum(1) for places in words], dim=1)
