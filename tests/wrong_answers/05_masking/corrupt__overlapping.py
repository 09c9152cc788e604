"""One number, but both tenths below 0.1: the kept ones are swapped after all, and 90% are masked.

answer: corrupt
caught by: test-corrupt
message: one number must decide among the three fates
"""


def corrupt(ids, generator):
    selected = (torch.rand(ids.shape, generator=generator) < 0.15) & (ids >= FIRST_WORD)
    fate = torch.rand(ids.shape, generator=generator)
    keep, swap = fate < 0.1, fate < 0.1
    word = torch.randint(FIRST_WORD, VOCABULARY, ids.shape, generator=generator)
    seen = torch.where(swap, word, torch.where(keep, ids, MASK_ID))
    return torch.where(selected, seen, ids), ids.masked_fill(~selected, -100)
