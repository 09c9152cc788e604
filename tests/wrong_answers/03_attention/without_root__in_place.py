"""Changes the model that was given.

answer: without-root
caught by: test-without-root
message: work on a copy
"""


def without_root(model):
    root = math.sqrt(model.config.hidden_size // model.config.num_attention_heads)
    with torch.no_grad():
        for layer in model.bert.layers:
            layer.attention.query.weight.mul_(root)
            layer.attention.query.bias.mul_(root)
    return model
