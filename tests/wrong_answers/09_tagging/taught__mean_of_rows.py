"""A mean for each sentence, then the mean of these.

answer: taught
caught by: test-taught
message: the loss of the places with a label is
"""


def token_loss(logits, labels):
    return torch.stack([F.cross_entropy(a, b) for a, b in zip(logits, labels, strict=False)]).mean()


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
