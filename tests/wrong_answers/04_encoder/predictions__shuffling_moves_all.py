"""Takes equivariance to mean that every state changes when tokens are shuffled.

answer: predictions
caught by: test-predictions
message: has not moved
"""

predictions = {
    "swap the tokens b and d": True,
    "swap b and d, all position embeddings being zero": True,
    "append three [PAD], with the right attention_mask": False,
    "append three [PAD], without attention_mask": True,
    "put another sentence of the same length into the batch": False,
    "multiply all three embedding tables by 3": False,
    "give c, d, e and [SEP] segment 1 instead of 0": True,
    "add the same number to every entry of the word embedding of c": False,
}
