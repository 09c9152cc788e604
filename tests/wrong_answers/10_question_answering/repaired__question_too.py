"""Looks for valid pairs in the question as well.

answer: repaired
caught by: test-repaired
message: stands in the question
"""


def repaired_answers(start, end, in_passage):
    scores = start[:, :, None] + end[:, None, :]
    allowed = torch.ones(scores.shape[1:], dtype=torch.bool).triu()
    best = scores.masked_fill(~allowed, float("-inf")).flatten(1).argmax(1)
    return best // start.shape[1], best % start.shape[1]
