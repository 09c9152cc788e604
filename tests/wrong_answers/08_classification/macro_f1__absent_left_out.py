"""Leaves out the classes that do not occur, so that the mean is of fewer.

answer: macro-f1
caught by: test-macro-f1
message: divide by all of them
"""


def my_macro_f1(predicted, actual, classes):
    found = []
    for name in range(classes):
        claims = predicted.count(name) + actual.count(name)
        if claims:
            found.append(2 * sum(p == a == name for p, a in zip(predicted, actual, strict=True)) / claims)
    return sum(found) / len(found)
