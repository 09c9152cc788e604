"""Keeps the two independent coins: 81/10/9.

answer: corrupt
caught by: test-corrupt
message: one number must decide among the three fates
"""


def corrupt(ids, generator):
    ids = ids.clone()
    selected = (torch.rand(ids.shape, generator=generator) < 0.15) & (ids >= FIRST_WORD)
    keep = selected & (torch.rand(ids.shape, generator=generator) < 0.1)
    swap = selected & (torch.rand(ids.shape, generator=generator) < 0.1)
    labels = ids.masked_fill(~selected, -100)
    ids[selected & ~keep & ~swap] = MASK_ID
    ids[swap] = torch.randint(FIRST_WORD, VOCABULARY, ids.shape, generator=generator)[swap]
    return ids, labels
