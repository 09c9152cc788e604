"""Drops every text that shares its partner.

answer: repaired
caught by: test-repaired
message: expected
"""


def repaired_loss(texts, candidates, names):
    alone = (names[:, None] == names[None]).sum(1) == 1
    if not alone.any():
        return texts.sum() * 0
    texts, candidates = texts[alone], candidates[alone]
    cosines = nn.functional.normalize(texts, dim=1) @ nn.functional.normalize(candidates, dim=1).T
    return nn.functional.cross_entropy(cosines / 0.05, torch.arange(len(texts)))
