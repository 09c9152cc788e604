"""Computes in bits.

answer: order-blind
caught by: test-order-blind
message: worth log 2
"""


def order_blind_distance(nouns):
    total = 0.0
    for plural in range(nouns + 1):
        probability = math.comb(nouns, plural) / 2**nouns
        for p in (plural / nouns, 1 - plural / nouns):
            if p > 0:
                total -= probability * p * math.log2(p)
    return total
