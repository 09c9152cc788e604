"""Swaps the ids and keeps the segments of the order of the document.

answer: order-rows
caught by: test-order-rows
message: of this row, 1 after it
"""


def order_rows(documents, rng):
    rows = []
    for document in documents:
        for first, second in pairwise(document):
            segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
            if rng.random() < 0.5:
                rows.append(([2, *first, 3, *second, 3], segments, 0))
            else:
                rows.append(([2, *second, 3, *first, 3], segments, 1))
    return rows
