"""Trains well, and hands back a model that goes on dropping.

answer: tuned
caught by: test-tuned
message: must end in evaluation mode
"""


class Tuned(nn.Module):
    def __init__(self, encoder, labels):
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(p=encoder.config.hidden_dropout_prob)
        self.head = nn.Linear(encoder.config.hidden_size, labels)

    def forward(self, input_ids, attention_mask):
        encoded = self.encoder(input_ids, attention_mask=attention_mask)
        first = encoded.last_hidden_state[:, 0, :]
        return self.head(self.dropout(first))


def tune(model, batch, steps, rate, generator):
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    losses = []
    while len(losses) < steps:
        rows = torch.randint(0, batch["labels"].shape[0], (16,), generator=generator)
        loss = F.cross_entropy(model(batch["input_ids"][rows], batch["attention_mask"][rows]), batch["labels"][rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses
