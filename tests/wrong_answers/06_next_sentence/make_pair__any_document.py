"""Mends the label and leaves the random sentence free to be the true successor.

answer: make-pair
caught by: test-make-pair
message: must never be handed out as a negative
"""


def make_pair(documents, number, place, rng):
    document = documents[number]
    if place + 1 < len(document) and rng.random() < 0.5:
        return document[place], document[place + 1], 0
    return document[place], rng.choice(rng.choice(documents)), 1
