"""The share of right answers, which the first example cannot tell from macro F1.

answer: macro-f1
caught by: test-macro-f1
message: that is the accuracy
"""


def my_macro_f1(predicted, actual, classes):
    return sum(p == a for p, a in zip(predicted, actual, strict=True)) / len(actual)
