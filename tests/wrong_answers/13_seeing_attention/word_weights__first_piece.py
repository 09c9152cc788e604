"""Lets the first piece speak for the word, as one does for labels in tagging.

answer: word-weights
caught by: test-word-weights
message: not only the first
"""


def word_weights(weights, words):
    """Weights between words; `words` holds a tuple of places for each, such as [(1,), (2, 3)]."""
    rows = torch.stack([weights[places[0]] for places in words])
    return torch.stack([rows[:, list(places)].sum(1) for places in words], dim=1)
