"""Draws the random B from second sentences only, as position-matched negatives would.

answer: exact-next
caught by: test-exact-next
message: you count only second ones
"""


def exact_next(documents, first, second):
    together = begins = ends = 0.0
    for probability, sentences in documents:
        neighbours = list(pairwise(sentences))
        for a, b in neighbours:
            begins += probability / len(neighbours) * (a == first)
            ends += probability / len(neighbours) * (b == second)
            together += probability / len(neighbours) * (a == first and b == second)
    apart = begins * ends
    return together / (together + apart) if together + apart > 0 else None
