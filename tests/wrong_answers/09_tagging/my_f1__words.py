"""Counts words with the right tag, not entities.

answer: my-f1
caught by: test-my-f1
message: half a name is no name
"""


def my_f1(said, truth):
    pairs = [pair for a, b in zip(said, truth, strict=False) for pair in zip(a, b, strict=False)]
    hits = sum(a == b != "O" for a, b in pairs)
    claims = sum((a != "O") + (b != "O") for a, b in pairs)
    return 2 * hits / claims if claims else 0.0
