"""Draws from the heap of all other sentences, so that long documents come up more often.

answer: make-pair
caught by: test-make-pair
message: all other documents are equally likely
"""


def make_pair(documents, number, place, rng):
    document = documents[number]
    if place + 1 < len(document) and rng.random() < 0.5:
        return document[place], document[place + 1], 0
    heap = [sentence for other, text in enumerate(documents) if other != number for sentence in text]
    return document[place], rng.choice(heap), 1
