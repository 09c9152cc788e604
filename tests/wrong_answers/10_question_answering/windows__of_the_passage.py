"""Positions are counted in the passage's part, without the question before it.

answer: windows
caught by: test-windows
message: positions count them, too
"""


def my_windows(pieces, room, overlap, asked, answer):
    if not 0 <= overlap < room:
        raise ValueError("overlap")
    windows, begin = [], 0
    while True:
        end = min(begin + room, pieces)
        positions = (0, 0)
        if answer is not None and begin <= answer[0] and answer[1] < end:
            positions = answer[0] - begin, answer[1] - begin
        windows.append((begin, end, *positions))
        if end == pieces:
            return windows
        begin += room - overlap
