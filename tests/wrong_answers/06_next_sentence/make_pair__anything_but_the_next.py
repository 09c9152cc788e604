"""Rejects the true successor, and still draws other sentences of the same document.

answer: make-pair
caught by: test-make-pair
message: a negative comes from another document
"""


def make_pair(documents, number, place, rng):
    document = documents[number]
    if place + 1 < len(document) and rng.random() < 0.5:
        return document[place], document[place + 1], 0
    second = rng.choice(rng.choice(documents))
    while second in document[place : place + 2]:
        second = rng.choice(rng.choice(documents))
    return document[place], second, 1
