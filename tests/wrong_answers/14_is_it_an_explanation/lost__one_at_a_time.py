"""Masks one place after the other and adds up.

answer: lost
caught by: test-lost
message: were both masked at once
"""


def lost(model, ids, places):
    """The sum of what single masks cost."""
    total = 0.0
    with torch.no_grad():
        before = model(ids).logits[:, ASKED].log_softmax(-1)
        guess = before.argmax(1, keepdim=True)
        for place in places:
            damaged = ids.clone()
            damaged[:, place] = tokenizer.mask_id
            after = model(damaged).logits[:, ASKED].log_softmax(-1)
            total += float((before - after).gather(1, guess).mean())
    return total


measured = {
    "first": lost(model, lines, [FIRST]),
    "second": lost(model, lines, [SECOND]),
    "both": lost(model, lines, [FIRST, SECOND]),
}
