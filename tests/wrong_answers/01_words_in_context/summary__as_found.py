"""The tutorial's line, as it stands.

answer: summary
caught by: test-summary
message: at the last place it has heard one word
"""


def summary(states, mask):
    return states[:, -1]
