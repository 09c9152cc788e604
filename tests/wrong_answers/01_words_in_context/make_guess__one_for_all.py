"""One module, handed out again and again.

answer: make-guess
caught by: test-make-guess
message: hands out the same parameters again
"""

KEPT = {}


def make_guess(width):
    if width not in KEPT:
        KEPT[width] = nn.Sequential(nn.Linear(2 * width, 32), nn.GELU(), nn.Linear(32, 2))
    return KEPT[width]
