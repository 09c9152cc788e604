"""Gives the first [SEP] to segment B, as a separator that begins the second text.

answer: two-segments
caught by: test-two-segments
message: belongs to it: its type is 0
"""

CLS, SEP = 2, 3


def two_segments(first, second, max_length):
    a, b = len(first), len(second)
    while a + b + 3 > max_length:
        if a > b:
            a -= 1
        else:
            b -= 1
    return [CLS, *first[:a], SEP, *second[:b], SEP], [0] * (a + 1) + [1] * (b + 2)
