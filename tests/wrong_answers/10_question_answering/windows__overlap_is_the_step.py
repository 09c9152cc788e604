"""Takes the overlap for the step.

answer: windows
caught by: test-windows
message: each window begins
"""


def my_windows(pieces, room, overlap, asked, answer):
    if not 0 <= overlap < room:
        raise ValueError("overlap")
    windows = []
    for begin in range(0, pieces, max(overlap, 1)):
        end = min(begin + room, pieces)
        positions = (0, 0)
        if answer is not None and begin <= answer[0] and answer[1] < end:
            positions = answer[0] - begin + asked + 2, answer[1] - begin + asked + 2
        windows.append((begin, end, *positions))
    return windows
