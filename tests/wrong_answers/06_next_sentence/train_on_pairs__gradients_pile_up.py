"""Never clears the gradients.

answer: train-on-pairs
caught by: test-train-on-pairs
message: gradients cleared
"""


def train_on_pairs(model, batches, steps, learning_rate):
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    model.train()
    losses = []
    for _ in range(steps):
        loss = model(**next(batches)).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses
