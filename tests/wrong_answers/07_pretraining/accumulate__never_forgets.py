"""Relies on the caller to clear the gradients.

answer: accumulate
caught by: test-accumulate
message: forget the old one first
"""


def accumulate(model, batches):
    counts = [int((batch["labels"] != -100).sum()) for batch in batches]
    total = 0.0
    for batch, count in zip(batches, counts, strict=True):
        if count:
            loss = mean_loss(model, batch) * count / sum(counts)
            loss.backward()
            total += loss.item()
    return total
