"""Keeps the losses as tensors, and with them every graph.

answer: train-on-pairs
caught by: test-train-on-pairs
message: keeps its whole graph alive
"""


def train_on_pairs(model, batches, steps, learning_rate):
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    model.train()
    losses = []
    for _ in range(steps):
        loss = model(**next(batches)).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss)
    model.eval()
    return losses
