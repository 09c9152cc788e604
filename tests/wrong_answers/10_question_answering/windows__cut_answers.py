"""Teaches the part of the answer that the window holds.

answer: windows
caught by: test-windows
message: only a part of the answer
"""


def my_windows(pieces, room, overlap, asked, answer):
    if not 0 <= overlap < room:
        raise ValueError("overlap")
    windows, begin = [], 0
    while True:
        end = min(begin + room, pieces)
        positions = (0, 0)
        if answer is not None and answer[0] < end and answer[1] >= begin:
            positions = (max(answer[0], begin) - begin + asked + 2, min(answer[1], end - 1) - begin + asked + 2)
        windows.append((begin, end, *positions))
        if end == pieces:
            return windows
        begin += room - overlap
