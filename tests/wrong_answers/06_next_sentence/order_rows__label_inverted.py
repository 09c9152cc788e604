"""Takes 1 for "as they stand", as if the label were a yes.

answer: order-rows
caught by: test-order-rows
message: as they stand have label 0
"""


def order_rows(documents, rng):
    rows = []
    for document in documents:
        for first, second in pairwise(document):
            label = 1 if rng.random() < 0.5 else 0
            if label == 0:
                first, second = second, first
            ids = [2, *first, 3, *second, 3]
            rows.append((ids, [0] * (len(first) + 2) + [1] * (len(second) + 1), label))
    return rows
