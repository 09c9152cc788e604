"""Replaces B- wherever it stands, also in the name of the kind.

answer: repaired
caught by: test-repaired
message: the kind must stay as it is
"""


def repaired_labels(word_ids, tags):
    labels, before = [], None
    for word in word_ids:
        if word is None:
            labels.append(None)
        else:
            labels.append(tags[word] if word != before else tags[word].replace("B-", "I-"))
        before = word
    return labels
