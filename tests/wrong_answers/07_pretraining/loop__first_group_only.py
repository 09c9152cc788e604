"""Moves the learning rate of the first group alone.

answer: loop
caught by: test-loop
message: the loss differs from bertmini.train's
"""


def training_loop(model, stream, optimizer, steps, peak, warmup):
    losses = []
    model.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = peak * min((step + 1) / (warmup + 1), (steps - step) / (steps - warmup))
        optimizer.zero_grad()
        loss = model(**next(stream)).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses
