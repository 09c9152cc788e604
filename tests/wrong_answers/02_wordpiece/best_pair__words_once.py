"""Counts each word once, however often it occurs.

answer: best-pair
caught by: test-best-pair
message: a word counts as often as it occurs
"""


def best_pair(spelled):
    one, two = Counter(), Counter()
    for pieces in spelled:
        for piece in pieces:
            one[piece] += 1
        for pair in itertools.pairwise(pieces):
            two[pair] += 1
    scores = {(a, b): Fraction(count, one[a] * one[b]) for (a, b), count in two.items()}
    best = max(scores, key=scores.get)
    return best, scores[best]
