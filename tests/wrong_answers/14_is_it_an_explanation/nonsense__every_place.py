"""Draws for every place, not for every type.

answer: nonsense
caught by: test-nonsense
message: same label wherever it stands
"""


def nonsense(words, labels, generator):
    """A label by lot for each place."""
    drawn = torch.randint(len(labels), (len(words),), generator=generator).tolist()
    return [labels[place] for place in drawn]
