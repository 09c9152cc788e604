"""Makes the rows sum to 1 again, as if what goes to the delimiters went to the words.

answer: word-weights
caught by: test-word-weights
message: is left out, not shared out
"""


def word_weights(weights, words):
    """Weights between words; `words` holds a tuple of places for each, such as [(1,), (2, 3)]."""
    rows = torch.stack([weights[list(places)].mean(0) for places in words])
    between = torch.stack([rows[:, list(places)].sum(1) for places in words], dim=1)
    return between / between.sum(1, keepdim=True)
