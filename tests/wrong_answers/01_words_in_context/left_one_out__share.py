"""The share that is right, not their number.

answer: left-one-out
caught by: test-left-one-out
message: of 12: a finding
"""


def left_one_out(states, senses):
    right = 0
    for number in range(len(states)):
        others = torch.arange(len(states)) != number
        centroids = torch.stack([states[others & (senses == sense)].mean(0) for sense in (0, 1)])
        right += int((states[number] - centroids).square().sum(1).argmin() == senses[number])
    return right / len(states)


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
