"""Returns the losses as tensors, with the graph of every step.

answer: taught
caught by: test-taught
message: the losses should be plain floats
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
        losses.append(loss)
    model.eval()
    return losses
