"""Makes the rows with the true labels and shuffles afterwards: the labels in the rows are then not those asked for.

answer: leaks
caught by: test-leaks
message: the label stands in the row and was not noticed
"""


def leaks(fit, make_rows, texts, labels):
    rows, half = make_rows(texts, labels), len(texts) // 2
    shuffled = list(labels)
    random.Random(0).shuffle(shuffled)
    answer = fit(list(zip(rows[:half], shuffled[:half], strict=True)))
    right = sum(answer(row) == label for row, label in zip(rows[half:], shuffled[half:], strict=True)) / (
        len(rows) - half
    )
    return right > 0.6
