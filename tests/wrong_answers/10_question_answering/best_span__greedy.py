"""The best start first, then the best end after it: seldom, but sometimes, another span.

answer: best-span
caught by: test-best-span
message: start [
"""


def my_best_span(start, end, first, longest, threshold):
    stop = len(start) - 1
    i = max(range(first, stop), key=start.__getitem__)
    j = max(range(i, min(i + longest, stop)), key=end.__getitem__)
    return (i, j) if start[i] + end[j] > start[0] + end[0] + threshold else None
