"""Takes LayerNorm for batch normalisation: neighbours in the batch would matter.

answer: predictions
caught by: test-predictions
message: what do the rows of a batch share
"""

predictions = {
    "swap the tokens b and d": True,
    "swap b and d, all position embeddings being zero": False,
    "append three [PAD], with the right attention_mask": False,
    "append three [PAD], without attention_mask": True,
    "put another sentence of the same length into the batch": True,
    "multiply all three embedding tables by 3": False,
    "give c, d, e and [SEP] segment 1 instead of 0": True,
    "add the same number to every entry of the word embedding of c": False,
}
