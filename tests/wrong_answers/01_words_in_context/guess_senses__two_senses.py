"""The chapter's function: two senses, 0 and 1.

answer: guess-senses
caught by: test-guess-senses
message: there are three senses
"""


def guess_senses(states, senses, asked):
    centroids = torch.stack([states[senses == sense].mean(0) for sense in (0, 1)])
    return torch.cdist(asked, centroids).argmin(1)
