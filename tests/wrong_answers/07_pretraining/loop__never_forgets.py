"""backward adds: without zero_grad each step follows the sum of all gradients so far.

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
        loss = model(**next(stream)).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses
