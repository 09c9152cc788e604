"""Where the answer runs backwards, the two are swapped.

answer: repaired
caught by: test-repaired
message: best valid pair
"""


def repaired_answers(start, end, in_passage):
    start, end = (scores.masked_fill(~in_passage, float("-inf")) for scores in (start, end))
    first, last = start.argmax(1), end.argmax(1)
    return torch.minimum(first, last), torch.maximum(first, last)
