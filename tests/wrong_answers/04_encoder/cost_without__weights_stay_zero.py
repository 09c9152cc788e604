"""Zeroes the weights of the model that it was given, for good.

answer: cost-without
caught by: test-cost-without
message: put them back
"""


def cost_without(model, layer, part):
    chosen = model.bert.layers[layer]
    with torch.no_grad():
        if part is not None:
            for parameter in (chosen.attention.output if part == "attention" else chosen.output).parameters():
                parameter.zero_()
        return model(**blanks).loss.item()
