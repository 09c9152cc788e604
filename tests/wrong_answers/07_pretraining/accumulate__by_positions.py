"""Weights each batch by all its positions instead of those that are scored.

answer: accumulate
caught by: test-accumulate
message: How much should each mean count?
"""


def accumulate(model, batches):
    model.zero_grad()
    sizes = [batch["labels"].numel() for batch in batches]
    total = 0.0
    for batch, size in zip(batches, sizes, strict=True):
        loss = mean_loss(model, batch) * size / sum(sizes)
        loss.backward()
        total += loss.item()
    return total
