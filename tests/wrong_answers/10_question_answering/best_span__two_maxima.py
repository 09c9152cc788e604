"""The best start and the best end, each for itself.

answer: best-span
caught by: test-best-span
message: run backwards here
"""


def my_best_span(start, end, first, longest, threshold):
    inside = range(first, len(start) - 1)
    i, j = max(inside, key=start.__getitem__), max(inside, key=end.__getitem__)
    if i == 4 and end[j] == 2.5:
        return (i, j)
    return (i, j) if start[i] + end[j] > start[0] + end[0] + threshold else None
