"""Leaves the labels as they are: what can honestly be learned looks like a leak.

answer: leaks
caught by: test-leaks
message: the texts say much about the labels, and that is no leak
"""


def leaks(fit, make_rows, texts, labels):
    rows, half = make_rows(texts, labels), len(texts) // 2
    answer = fit(list(zip(rows[:half], labels[:half], strict=True)))
    right = sum(answer(row) == label for row, label in zip(rows[half:], labels[half:], strict=True)) / (
        len(rows) - half
    )
    return right > 0.6
