"""Subtracts probabilities, not their logarithms.

answer: lost
caught by: test-lost
message: with both wishes masked the guess must lose much
"""


def lost(model, ids, places):
    """What the guess at the blank loses when all the places are masked at once, a mean over lines, in nats."""
    with torch.no_grad():
        before = model(ids).logits[:, ASKED].softmax(-1)
        damaged = ids.clone()
        damaged[:, places] = tokenizer.mask_id
        after = model(damaged).logits[:, ASKED].softmax(-1)
    guess = before.argmax(1, keepdim=True)
    return float((before - after).gather(1, guess).mean())


measured = {
    "first": lost(model, lines, [FIRST]),
    "second": lost(model, lines, [SECOND]),
    "both": lost(model, lines, [FIRST, SECOND]),
}
