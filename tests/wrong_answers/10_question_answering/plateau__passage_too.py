"""Blanks out the names of the passage as well.

answer: plateau
caught by: test-plateau
message: names in the passage stay
"""


def qa_loss(model, batch):
    states = model.bert(batch["input_ids"], batch["token_type_ids"], batch["attention_mask"]).last_hidden_state
    start, end = model.qa_outputs(states).unbind(-1)
    cross_entropy = nn.functional.cross_entropy
    return (cross_entropy(start, batch["start_positions"]) + cross_entropy(end, batch["end_positions"])) / 2


def without(batch, ids, blank):
    chosen = torch.isin(batch["input_ids"], torch.tensor(ids))
    return batch | {"input_ids": batch["input_ids"].masked_fill(chosen, blank)}
