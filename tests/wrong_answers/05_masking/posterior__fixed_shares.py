"""Right for 80/10/10 and this notebook's vocabulary, whatever is passed.

answer: posterior
caught by: test-posterior
message: use the shares given
"""


def posterior(cavity, seen, mask=0.8, random=0.1, keep=0.1):
    if seen == MASK_ID:
        return cavity / cavity.sum()
    weight = cavity.clone()
    weight[seen] *= 1 + len(cavity) - FIRST_WORD
    return weight / weight.sum()
