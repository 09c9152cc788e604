"""Right ids and types, but shortens the caller's own lists.

answer: two-segments
caught by: test-two-segments
message: the caller's lists were changed
"""

CLS, SEP = 2, 3


def two_segments(first, second, max_length):
    while len(first) + len(second) + 3 > max_length:
        if len(first) > len(second):
            first.pop()
        else:
            second.pop()
    return [CLS, *first, SEP, *second, SEP], [0] * (len(first) + 2) + [1] * (len(second) + 1)
