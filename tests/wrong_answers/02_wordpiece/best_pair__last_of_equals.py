"""Of equal scores takes the one that sorts last: nearly right.

answer: best-pair
caught by: test-best-pair
message: of equal scores
"""


def best_pair(spelled):
    one, two = Counter(), Counter()
    for pieces, count in spelled.items():
        for piece in pieces:
            one[piece] += count
        for pair in itertools.pairwise(pieces):
            two[pair] += count
    scores = {(a, b): Fraction(count, one[a] * one[b]) for (a, b), count in two.items()}
    best = max(scores, key=lambda pair: (scores[pair], pair))
    return best, scores[best]
