"""What the trainers did: every batch counts the same.

answer: accumulate
caught by: test-accumulate
message: How much should each mean count?
"""


def accumulate(model, batches):
    model.zero_grad()
    total = 0.0
    for batch in batches:
        loss = mean_loss(model, batch) / len(batches)
        loss.backward()
        total += loss.item()
    return total
