"""Returns the likelihood ratio, not the probability.

answer: exact-next
caught by: test-exact-next
message: r / (1 + r) and not r
"""


def exact_next(documents, first, second):
    together = begins = anywhere = 0.0
    for probability, sentences in documents:
        neighbours = list(pairwise(sentences))
        for a, b in neighbours:
            begins += probability / len(neighbours) * (a == first)
            together += probability / len(neighbours) * (a == first and b == second)
        anywhere += probability * sentences.count(second) / len(sentences)
    return together / (begins * anywhere) if begins * anywhere > 0 else None
