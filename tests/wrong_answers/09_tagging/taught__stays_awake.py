"""Forgets evaluation mode.

answer: taught
caught by: test-taught
message: the model must end in evaluation mode
"""


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
    return losses
