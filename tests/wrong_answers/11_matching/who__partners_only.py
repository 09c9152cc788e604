"""Only the partners are candidates: the wrong answers are read and not used.

answer: who
caught by: test-who
message: expected
"""


def triplets(events, count, draw):
    chosen = [draw.choice(events) for _ in range(count)]
    return [Match(tell(event, draw), tell(event, draw), tell(event.turned(), draw)) for event in chosen]


def loss_of(model, batch):
    states = model.bert(batch["input_ids"], None, batch["attention_mask"]).last_hidden_state
    vectors = mean_of_tokens(states, batch["attention_mask"])
    count = len(batch["partners"])
    return contrastive_loss(vectors[:count], vectors[count : 2 * count], torch.arange(count))


def mistaken(queries, right, twins):
    gap = torch.cosine_similarity(queries, twins) - torch.cosine_similarity(queries, right)
    return float((gap > 0).double().mean() + (gap == 0).double().mean() / 2)
