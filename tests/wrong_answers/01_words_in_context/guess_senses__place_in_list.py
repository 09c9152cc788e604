"""The place in the list of centroids is returned as if it were the sense.

answer: guess-senses
caught by: test-guess-senses
message: Return the sense's own number
"""


def guess_senses(states, senses, asked):
    centroids = torch.stack([states[senses == sense].mean(0) for sense in senses.unique()])
    return (asked[:, None] - centroids).square().sum(-1).argmin(1)
