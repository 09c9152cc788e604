"""Takes every mixed sentence for a fair coin: right for two nouns, too much for more.

answer: order-blind
caught by: test-order-blind
message: each count has its own probability and its own entropy
"""


def order_blind_distance(nouns):
    return (1 - 2 / 2**nouns) * math.log(2)
