"""Another road all along: the mean of the states that are no padding, which is a fair classifier, but not this one.

answer: tuned
caught by: test-tuned
message: the head on the state of the first token
"""


class Tuned(nn.Module):
    def __init__(self, encoder, labels):
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(encoder.config.hidden_dropout_prob)
        self.head = nn.Linear(encoder.config.hidden_size, labels)

    def forward(self, input_ids, attention_mask):
        states = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).float()
        mean = (states * weights).sum(dim=1) / weights.sum(dim=1)
        return self.head(self.dropout(mean))


def tune(model, batch, steps, rate, generator):
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    losses = []
    model.train()
    for _ in range(steps):
        picked = torch.randint(len(batch["labels"]), (16,), generator=generator)
        logits = model(batch["input_ids"][picked], batch["attention_mask"][picked])
        loss = F.cross_entropy(logits, batch["labels"][picked])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    model.eval()
    return losses
