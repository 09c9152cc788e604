"""Tests on the rows that it has trained on: whoever learns by heart is accused.

answer: leaks
caught by: test-leaks
message: these rows are honest
"""


def leaks(fit, make_rows, texts, labels):
    shuffled = list(labels)
    random.Random(0).shuffle(shuffled)
    rows = make_rows(texts, shuffled)
    answer = fit(list(zip(rows, shuffled, strict=True)))
    right = sum(answer(row) == label for row, label in zip(rows, shuffled, strict=True)) / len(rows)
    return right > 0.6
