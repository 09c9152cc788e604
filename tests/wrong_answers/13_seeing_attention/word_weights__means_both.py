"""Averages into a word as well as out of it.

answer: word-weights
caught by: test-word-weights
message: what goes to the pieces of a word is added up
"""


def word_weights(weights, words):
    """Weights between words; `words` holds a tuple of places for each, such as [(1,), (2, 3)]."""
    rows = torch.stack([weights[list(places)].mean(0) for places in words])
    return torch.stack([rows[:, list(places)].mean(1) for places in words], dim=1)
