"""Both directions are taken at the first place.

answer: summary
caught by: test-summary
message: from the left: without padding
"""


def summary(states, mask):
    return states[:, 0]
