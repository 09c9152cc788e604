"""Right as long as every class occurs somewhere.

answer: macro-f1
caught by: test-macro-f1
message: must give 0, not an error
"""


def my_macro_f1(predicted, actual, classes):
    total = 0.0
    for name in range(classes):
        hits = sum(p == a == name for p, a in zip(predicted, actual, strict=True))
        total += 2 * hits / (predicted.count(name) + actual.count(name))
    return total / classes
