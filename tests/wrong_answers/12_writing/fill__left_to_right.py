"""Fills from left to right.

answer: fill
caught by: test-fill
message: the surest blank is at place 2
"""


def fill_in(guess, ids, readings):
    """Fill all blanks of texts (B, S) in so many readings, the surest first."""
    for left in range(readings, 0, -1):
        blank = ids == MASK
        if not blank.any():
            break
        piece = guess(ids).argmax(-1)
        count = -(-blank.sum(1, keepdim=True) // left)
        order = (~blank).long().argsort(dim=1, stable=True)
        chosen = blank & (order.argsort(dim=1) < count)
        ids = torch.where(chosen, piece, ids)
    return ids.clone()


def stutters(ids):
    """The share of neighbouring pieces of words that are the same piece twice."""
    pairs = (ids[:, 1:] >= WORDS) & (ids[:, :-1] >= WORDS)
    twice = pairs & (ids[:, 1:] == ids[:, :-1])
    return float(twice.sum() / pairs.sum()) if pairs.any() else 0.0
