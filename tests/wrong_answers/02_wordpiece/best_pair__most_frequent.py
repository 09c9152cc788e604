"""Takes the most frequent pair, as byte-pair encoding does.

answer: best-pair
caught by: test-best-pair
message: the first merge is ##g ##s
"""


def best_pair(spelled):
    one, two = Counter(), Counter()
    for pieces, count in spelled.items():
        for piece in pieces:
            one[piece] += count
        for pair in itertools.pairwise(pieces):
            two[pair] += count
    scores = {(a, b): Fraction(count, one[a] * one[b]) for (a, b), count in two.items()}
    best = max(two, key=two.get)
    return best, scores[best]
