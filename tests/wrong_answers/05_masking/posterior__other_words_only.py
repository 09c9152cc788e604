"""Lets the random word be any word but the right one: the odds are N to 1, not N + 1.

answer: posterior
caught by: test-posterior
message: a random word may also be the right one
"""


def posterior(cavity, seen, mask=0.8, random=0.1, keep=0.1):
    if seen == MASK_ID:
        return cavity / cavity.sum()
    channel = torch.full_like(cavity, random / (len(cavity) - FIRST_WORD))
    channel[seen] = keep
    return cavity * channel / (cavity * channel).sum()
