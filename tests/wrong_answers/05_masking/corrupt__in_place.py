"""The right shares, written into the caller's tensor.

answer: corrupt
caught by: test-corrupt
message: the caller's ids were changed
"""


def corrupt(ids, generator):
    selected = (torch.rand(ids.shape, generator=generator) < 0.15) & (ids >= FIRST_WORD)
    labels = ids.masked_fill(~selected, -100)
    fate = torch.rand(ids.shape, generator=generator)
    swap = selected & (fate >= 0.8) & (fate < 0.9)
    ids[swap] = torch.randint(FIRST_WORD, VOCABULARY, ids.shape, generator=generator)[swap]
    ids[selected & (fate < 0.8)] = MASK_ID
    return ids, labels
