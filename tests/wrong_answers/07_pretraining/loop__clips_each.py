"""Clips the gradient of each parameter by itself instead of all of them together.

answer: loop
caught by: test-loop
message: the loss differs from bertmini.train's
"""


def training_loop(model, stream, optimizer, steps, peak, warmup):
    losses = []
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = peak * min((step + 1) / (warmup + 1), (steps - step) / (steps - warmup))
        optimizer.zero_grad()
        loss = model(**next(stream)).loss
        loss.backward()
        for parameter in model.parameters():
            nn.utils.clip_grad_norm_(parameter, 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses
