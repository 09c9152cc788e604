"""Uses the channel of a place that may not have been selected at all.

answer: posterior
caught by: test-posterior
message: the place is known to be selected
"""


def posterior(cavity, seen, mask=0.8, random=0.1, keep=0.1):
    if seen == MASK_ID:
        return cavity / cavity.sum()
    channel = torch.full_like(cavity, 0.15 * random / (len(cavity) - FIRST_WORD))
    channel[seen] += 0.85 + 0.15 * keep
    return cavity * channel / (cavity * channel).sum()
