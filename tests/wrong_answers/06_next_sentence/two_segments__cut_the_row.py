"""Cuts the finished row, as a well-known implementation does: the last [SEP] is lost, and B alone gives way.

answer: two-segments
caught by: test-two-segments
message: cut the segments, not the finished row
"""

CLS, SEP = 2, 3


def two_segments(first, second, max_length):
    ids = [CLS, *first, SEP, *second, SEP]
    types = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    return ids[:max_length], types[:max_length]
