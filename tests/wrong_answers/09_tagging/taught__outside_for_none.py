"""Takes -100 for O: a label of 0.

answer: taught
caught by: test-taught
message: the loss of the places with a label is
"""


def token_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.clamp(min=0).flatten())


def train_tagger(model, batches, rate):
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    losses = []
    model.train()
    for batch in batches:
        inputs = {name: batch[name] for name in ("input_ids", "token_type_ids", "attention_mask")}
        loss = token_loss(model(**inputs).logits, batch["labels"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses
