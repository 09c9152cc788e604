"""All blanks from one reading.

answer: repaired
caught by: test-repaired
message: three readings
"""


def repaired_go_on(guess, ids, count, generator=None):
    """Write `count` pieces before the last place, [SEP], of texts (B, S)."""
    begin = ids.shape[1] - 1
    ids = torch.cat([ids[:, :-1], torch.full((len(ids), count), MASK), ids[:, -1:]], 1)
    p = guess(ids)
    for place in range(begin, begin + count):
        ids[:, place] = pick(p[:, place], generator)
    return ids
