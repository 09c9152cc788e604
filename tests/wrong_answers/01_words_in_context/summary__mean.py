"""The mean over the words, which is another summary.

answer: summary
caught by: test-summary
message: at the last place it has heard one word
"""


def summary(states, mask):
    mask = mask[:, :, None].float()
    return (states * mask).sum(1) / mask.sum(1)
