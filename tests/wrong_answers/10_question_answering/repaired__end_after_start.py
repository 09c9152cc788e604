"""The best start, then the best end after it.

answer: repaired
caught by: test-repaired
message: than by trying every pair
"""


def repaired_answers(start, end, in_passage):
    first = start.masked_fill(~in_passage, float("-inf")).argmax(1)
    after = torch.arange(end.shape[1]) >= first[:, None]
    last = end.masked_fill(~(in_passage & after), float("-inf")).argmax(1)
    return first, last
