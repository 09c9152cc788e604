"""The linear map that was there before.

answer: make-guess
caught by: test-make-guess
message: nothing but a sum of the two sides
"""


def make_guess(width):
    return nn.Linear(2 * width, 2)
