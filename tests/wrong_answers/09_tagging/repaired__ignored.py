"""Gives the further pieces no label: another way of labelling, not a repair of this one.

answer: repaired
caught by: test-repaired
message: one firm of four pieces
"""


def repaired_labels(word_ids, tags):
    labels, before = [], None
    for word in word_ids:
        labels.append(None if word is None or word == before else tags[word])
        before = word
    return labels
