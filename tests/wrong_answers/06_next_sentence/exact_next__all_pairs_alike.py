"""Counts every pair of neighbours alike, so that long documents weigh more; right where all are equally long.

answer: exact-next
caught by: test-exact-next
message: a pair of a long document is rarer
"""


def exact_next(documents, first, second):
    together = begins = anywhere = total = 0.0
    for probability, sentences in documents:
        for a, b in pairwise(sentences):
            total += probability
            begins += probability * (a == first)
            together += probability * (a == first and b == second)
        anywhere += probability * sentences.count(second) / len(sentences)
    apart = begins / total * anywhere
    together /= total
    return together / (together + apart) if together + apart > 0 else None
