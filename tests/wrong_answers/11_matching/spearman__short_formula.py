"""Ties share their ranks, but the short formula holds without ties only.

answer: spearman
caught by: test-spearman
message: expected 0.949
"""


def my_spearman(one, other):
    if len(one) != len(other) or len(set(one)) == 1 or len(set(other)) == 1:
        raise ValueError("nothing to rank")

    def ranks(numbers):
        return [sum(x < number for x in numbers) + (numbers.count(number) + 1) / 2 for number in numbers]

    a, b = ranks(one), ranks(other)
    n = len(a)
    return 1 - 6 * sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / (n * (n * n - 1))
