"""Two linear maps, one after the other, are one.

answer: make-guess
caught by: test-make-guess
message: Linear maps in a row
"""


def make_guess(width):
    return nn.Sequential(nn.Linear(2 * width, 32), nn.Linear(32, 2))
