"""Right but for the last sentence of a document, which has no successor.

answer: make-pair
caught by: test-make-pair
message: do not look for one
"""


def make_pair(documents, number, place, rng):
    document = documents[number]
    if rng.random() < 0.5:
        return document[place], document[place + 1], 0
    other = rng.randrange(len(documents) - 1)
    other += other >= number
    return document[place], rng.choice(documents[other]), 1
