"""One blank at each reading, however few readings are allowed.

answer: fill
caught by: test-fill
message: all blanks from one reading
"""


def fill_in(guess, ids, readings):
    """Fill all blanks of texts (B, S) in so many readings, the surest first."""
    for _ in range(readings, 0, -1):
        blank = ids == MASK
        if not blank.any():
            break
        sure, piece = guess(ids).max(-1)
        count = 1
        order = sure.masked_fill(~blank, -1).argsort(dim=1, descending=True, stable=True)
        chosen = blank & (order.argsort(dim=1) < count)
        ids = torch.where(chosen, piece, ids)
    return ids.clone()


def stutters(ids):
    """The share of neighbouring pieces of words that are the same piece twice."""
    pairs = (ids[:, 1:] >= WORDS) & (ids[:, :-1] >= WORDS)
    twice = pairs & (ids[:, 1:] == ids[:, :-1])
    return float(twice.sum() / pairs.sum()) if pairs.any() else 0.0
