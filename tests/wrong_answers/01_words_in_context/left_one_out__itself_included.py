"""The asked state is part of its own centroid.

answer: left-one-out
caught by: test-left-one-out
message: left out of its own sense
"""


def left_one_out(states, senses):
    centroids = torch.stack([states[senses == sense].mean(0) for sense in (0, 1)])
    return int((torch.cdist(states, centroids).argmin(1) == senses).sum())


WORD = "rose"
ONE = [
    "She wore a red rose in her hair.",
    "A white rose grew by the wall.",
    "He gave her a rose from the garden.",
    "The rose had lost its leaves.",
    "Every rose has thorns.",
    "He picked a rose and put it in his coat.",
]
OTHER = [
    "He rose from his chair and went to the door.",
    "The sun rose over the hills.",
    "She rose early and made a fire.",
    "The smoke rose slowly into the air.",
    "They rose when the judge came in.",
    "Prices rose again last year.",
]
