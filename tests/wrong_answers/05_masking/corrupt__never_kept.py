"""Gives the last tenth to the random words as well: 80/20/0.

answer: corrupt
caught by: test-corrupt
message: do the ranges of your number overlap?
"""


def corrupt(ids, generator):
    selected = (torch.rand(ids.shape, generator=generator) < 0.15) & (ids >= FIRST_WORD)
    fate = torch.rand(ids.shape, generator=generator)
    word = torch.randint(FIRST_WORD, VOCABULARY, ids.shape, generator=generator)
    seen = torch.where(fate < 0.8, MASK_ID, word)
    return torch.where(selected, seen, ids), ids.masked_fill(~selected, -100)
