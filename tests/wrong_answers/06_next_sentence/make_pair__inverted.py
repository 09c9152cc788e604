"""Keeps the copied label: 1 = is next.

answer: make-pair
caught by: test-make-pair
message: must have label 0
"""


def make_pair(documents, number, place, rng):
    document = documents[number]
    if place + 1 < len(document) and rng.random() < 0.5:
        return document[place], document[place + 1], 1
    other = rng.randrange(len(documents) - 1)
    other += other >= number
    return document[place], rng.choice(documents[other]), 0
