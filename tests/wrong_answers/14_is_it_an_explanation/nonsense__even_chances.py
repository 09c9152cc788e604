"""Draws among the different labels, each as likely.

answer: nonsense
caught by: test-nonsense
message: a label with one place in ten
"""


def nonsense(words, labels, generator):
    """A label by lot for each word type."""
    types, kinds = sorted(set(words)), sorted(set(labels))
    drawn = torch.randint(len(kinds), (len(types),), generator=generator).tolist()
    label_of = {word: kinds[place] for word, place in zip(types, drawn, strict=True)}
    return [label_of[word] for word in words]
