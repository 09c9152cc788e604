"""Forgets after the step: right, unless something left gradients behind before the first.

answer: loop
caught by: test-loop
message: gradients left from before
"""


def training_loop(model, stream, optimizer, steps, peak, warmup):
    losses = []
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = peak * min((step + 1) / (warmup + 1), (steps - step) / (steps - warmup))
        loss = model(**next(stream)).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    model.eval()
    return losses
