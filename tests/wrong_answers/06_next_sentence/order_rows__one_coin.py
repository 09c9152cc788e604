"""Tosses one coin for all pairs.

answer: order-rows
caught by: test-order-rows
message: a decision of its own
"""


def order_rows(documents, rng):
    rows, label = [], int(rng.random() < 0.5)
    for document in documents:
        for pair in pairwise(document):
            first, second = pair[::-1] if label else pair
            ids = [2, *first, 3, *second, 3]
            rows.append((ids, [0] * (len(first) + 2) + [1] * (len(second) + 1), label))
    return rows
