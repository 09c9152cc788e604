"""Takes every count of plural nouns to be equally probable. For two nouns the result happens to be too small.

answer: order-blind
caught by: test-order-blind
message: worth log 2
"""


def order_blind_distance(nouns):
    total = 0.0
    for plural in range(nouns + 1):
        for p in (plural / nouns, 1 - plural / nouns):
            if p > 0:
                total -= p * math.log(p) / (nouns + 1)
    return total
