"""Equal numbers get different ranks, in the order in which they stand.

answer: spearman
caught by: test-spearman
message: expected 0.949
"""


def my_spearman(one, other):
    if len(one) != len(other) or len(set(one)) == 1 or len(set(other)) == 1:
        raise ValueError("nothing to rank")

    def ranks(numbers):
        order = sorted(range(len(numbers)), key=lambda i: numbers[i])
        found = [0] * len(numbers)
        for rank, i in enumerate(order, start=1):
            found[i] = rank
        return found

    a, b = ranks(one), ranks(other)
    n = len(a)
    return 1 - 6 * sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / (n * (n * n - 1))
