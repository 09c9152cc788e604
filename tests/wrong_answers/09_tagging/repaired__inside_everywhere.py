"""Makes an inside of O, too.

answer: repaired
caught by: test-repaired
message: outside stays outside
"""


def repaired_labels(word_ids, tags):
    labels, before = [], None
    for word in word_ids:
        if word is None:
            labels.append(None)
        else:
            labels.append(tags[word] if word != before else "I-" + tags[word][2:])
        before = word
    return labels
