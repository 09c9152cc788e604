"""A word whose two senses the model does not tell apart.

answer: left-one-out
caught by: test-left-one-out
message: now find a word
"""

WORD = "match"
ONE = [
    "He struck a match and lit the lamp.",
    "The match went out in the wind.",
    "Have you a match for my pipe?",
    "The last match was wet.",
    "The old man found a match.",
    "There was one match in the box.",
]
OTHER = [
    "Our side won the match.",
    "The match was lost by two goals.",
    "We went to see a match.",
    "The last match was long.",
    "The old man saw a match.",
    "There was one match in the town.",
]


def left_one_out(states, senses):
    right = 0
    for number in range(len(states)):
        others = torch.arange(len(states)) != number
        centroids = torch.stack([states[others & (senses == sense)].mean(0) for sense in (0, 1)])
        right += int((states[number] - centroids).square().sum(1).argmin() == senses[number])
    return right
