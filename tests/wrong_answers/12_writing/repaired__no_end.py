"""Leaves [SEP] out while it writes.

answer: repaired
caught by: test-repaired
message: all blanks stand there at the first reading
"""


def repaired_go_on(guess, ids, count, generator=None):
    """Write `count` pieces before the last place, [SEP], of texts (B, S)."""
    begin = ids.shape[1] - 1
    end, ids = ids[:, -1:], torch.cat([ids[:, :-1], torch.full((len(ids), count), MASK)], 1)
    for place in range(begin, begin + count):
        ids[:, place] = pick(guess(ids)[:, place], generator)
    return torch.cat([ids, end], 1)
