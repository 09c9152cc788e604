"""The right shares, but a random word may be [PAD] or [CLS].

answer: corrupt
caught by: test-corrupt
message: a random word was a special token
"""


def corrupt(ids, generator):
    selected = (torch.rand(ids.shape, generator=generator) < 0.15) & (ids >= FIRST_WORD)
    fate = torch.rand(ids.shape, generator=generator)
    word = torch.randint(0, VOCABULARY, ids.shape, generator=generator)
    seen = torch.where(fate < 0.8, MASK_ID, torch.where(fate < 0.9, word, ids))
    return torch.where(selected, seen, ids), ids.masked_fill(~selected, -100)
