"""Takes one batch and learns it by heart.

answer: train-on-pairs
caught by: test-train-on-pairs
message: as many batches as there are steps
"""


def train_on_pairs(model, batches, steps, learning_rate):
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    model.train()
    losses, batch = [], next(batches)
    for _ in range(steps):
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses
