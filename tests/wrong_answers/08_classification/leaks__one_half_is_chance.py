"""Right for two labels that are equally frequent; where nine in ten have the same one, chance is 0.9.

answer: leaks
caught by: test-leaks
message: to be right in 90 % is chance here
"""


def leaks(fit, make_rows, texts, labels):
    shuffled = list(labels)
    random.Random(0).shuffle(shuffled)
    rows, half = make_rows(texts, shuffled), len(texts) // 2
    answer = fit(list(zip(rows[:half], shuffled[:half], strict=True)))
    right = sum(answer(row) == label for row, label in zip(rows[half:], shuffled[half:], strict=True)) / (
        len(rows) - half
    )
    return right > 0.65
