"""The ordinary correlation of the numbers themselves.

answer: spearman
caught by: test-spearman
message: whatever the distances
"""


def my_spearman(one, other):
    if len(one) != len(other):
        raise ValueError("unequal lengths")
    a, b = ([x - sum(numbers) / len(numbers) for x in numbers] for numbers in (one, other))
    length = sum(x * x for x in a) * sum(x * x for x in b)
    if not length:
        raise ValueError("nothing to rank")
    return sum(x * y for x, y in zip(a, b, strict=True)) / length**0.5
