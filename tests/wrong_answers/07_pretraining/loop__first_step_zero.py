"""The first step has a learning rate of 0.

answer: loop
caught by: test-loop
message: the loss differs from bertmini.train's
"""


def training_loop(model, stream, optimizer, steps, peak, warmup):
    losses = []
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = peak * min(step / warmup if step < warmup else 1.0, (steps - step) / (steps - warmup))
        optimizer.zero_grad()
        loss = model(**next(stream)).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses
