"""The course's slip: with hu in play, ##g is counted only where hu stands before it.

answer: best-pair
caught by: test-best-pair
message: pug included
"""


def best_pair(spelled):
    one, two = Counter(), Counter()
    for pieces, count in spelled.items():
        for piece in pieces:
            one[piece] += count
        for pair in itertools.pairwise(pieces):
            two[pair] += count
    if "hu" in one:
        one["##g"] = two["hu", "##g"]
    scores = {(a, b): Fraction(count, one[a] * one[b]) if one[b] else Fraction(0) for (a, b), count in two.items()}
    best = max(scores, key=scores.get)
    return best, scores[best]
