"""Scales the weight of the query and forgets its bias, which a score depends on, too.

answer: without-root
caught by: test-without-root
message: for weight and bias alike
"""


def without_root(model):
    root = math.sqrt(model.config.hidden_size // model.config.num_attention_heads)
    changed = copy.deepcopy(model)
    with torch.no_grad():
        for layer in changed.bert.layers:
            layer.attention.query.weight.mul_(root)
    return changed
