"""Trusts what is visible.

answer: posterior
caught by: test-posterior
message: a random word may also be the right one
"""


def posterior(cavity, seen, mask=0.8, random=0.1, keep=0.1):
    if seen == MASK_ID:
        return cavity / cavity.sum()
    return F.one_hot(torch.tensor(seen), len(cavity)).double()
