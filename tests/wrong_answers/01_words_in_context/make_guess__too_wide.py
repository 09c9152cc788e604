"""More parameters than the question allows.

answer: make-guess
caught by: test-make-guess
message: parameters, at most 4,000
"""


def make_guess(width):
    return nn.Sequential(nn.Linear(2 * width, 512), nn.ReLU(), nn.Linear(512, 2))
