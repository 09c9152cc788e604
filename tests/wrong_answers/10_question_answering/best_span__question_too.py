"""Looks for spans in the question as well.

answer: best-span
caught by: test-best-span
message: only tokens of the passage
"""


def my_best_span(start, end, first, longest, threshold):
    best, place = float("-inf"), None
    for i in range(1, len(start)):
        for j in range(i, min(i + longest, len(start))):
            if start[i] + end[j] > best:
                best, place = start[i] + end[j], (i, j)
    return place if best > start[0] + end[0] + threshold else None
