"""Gives each type the label of its first place.

answer: nonsense
caught by: test-nonsense
message: these are the true labels
"""


def nonsense(words, labels, generator):
    """The first label of each word type."""
    label_of = {}
    for word, label in zip(words, labels, strict=True):
        label_of.setdefault(word, label)
    return [label_of[word] for word in words]
