"""Right, until a batch scores nothing: 0 times not-a-number is not a number.

answer: accumulate
caught by: test-accumulate
message: a batch that scores nothing should add nothing
"""


def accumulate(model, batches):
    model.zero_grad()
    counts = [int((batch["labels"] != -100).sum()) for batch in batches]
    total = 0.0
    for batch, count in zip(batches, counts, strict=True):
        loss = mean_loss(model, batch) * count / sum(counts)
        loss.backward()
        total += loss.item()
    return total
