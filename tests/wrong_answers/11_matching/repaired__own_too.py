"""Leaves out the text's own partner as well.

answer: repaired
caught by: test-repaired
message: a perfect matcher pays nothing
"""


def repaired_loss(texts, candidates, names):
    cosines = nn.functional.normalize(texts, dim=1) @ nn.functional.normalize(candidates, dim=1).T
    again = names[:, None] == names[None]
    return nn.functional.cross_entropy((cosines / 0.05).masked_fill(again, float("-inf")), torch.arange(len(texts)))
