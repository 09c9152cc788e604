"""Right without padding: the pull request's cure.

answer: summary
caught by: test-summary
message: the last *word* has heard all
"""


def summary(states, mask):
    half = states.shape[-1] // 2
    return torch.cat([states[:, -1, :half], states[:, 0, half:]], -1)
