"""One blank more than is to be filled at each step, so that the text does not end at once.

answer: repaired
caught by: test-repaired
message: all blanks stand there at the first reading
"""


def repaired_go_on(guess, ids, count, generator=None):
    """Write `count` pieces before the last place, [SEP], of texts (B, S)."""
    for _ in range(count):
        asked = torch.cat([ids[:, :-1], torch.full((len(ids), 2), MASK), ids[:, -1:]], 1)
        piece = pick(guess(asked)[:, ids.shape[1] - 1], generator)
        ids = torch.cat([ids[:, :-1], piece[:, None], ids[:, -1:]], 1)
    return ids
