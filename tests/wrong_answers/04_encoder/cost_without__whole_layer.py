"""Takes out the residual connection and the norm as well.

answer: cost-without
caught by: test-cost-without
message: the residual and the norm stay
"""


def cost_without(model, layer, part):
    cut = copy.deepcopy(model)
    chosen = cut.bert.layers[layer]
    if part == "attention":
        chosen.attention_norm.register_forward_hook(lambda module, given, result: torch.zeros_like(result))
    if part == "FFN":
        chosen.output_norm.register_forward_hook(lambda module, given, result: torch.zeros_like(result))
    with torch.no_grad():
        return cut(**blanks).loss.item()
