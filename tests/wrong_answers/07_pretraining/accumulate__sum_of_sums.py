"""Weights by the number of scored positions and never divides by their total.

answer: accumulate
caught by: test-accumulate
message: three batches of 6 scored positions
"""


def accumulate(model, batches):
    model.zero_grad()
    total = 0.0
    for batch in batches:
        loss = mean_loss(model, batch) * (batch["labels"] != -100).sum()
        loss.backward()
        total += loss.item()
    return total
