"""Counts the shared partners as right answers too, each a part of the target.

answer: repaired
caught by: test-repaired
message: a perfect matcher pays nothing
"""


def repaired_loss(texts, candidates, names):
    cosines = nn.functional.normalize(texts, dim=1) @ nn.functional.normalize(candidates, dim=1).T
    same = (names[:, None] == names[None]).float()
    return nn.functional.cross_entropy(cosines / 0.05, same / same.sum(1, keepdim=True))
