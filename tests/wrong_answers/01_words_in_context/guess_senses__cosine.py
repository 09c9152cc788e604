"""Nearest by angle.

answer: guess-senses
caught by: test-guess-senses
message: each new state belongs to the sense whose mean is nearest
"""


def guess_senses(states, senses, asked):
    known = senses.unique()
    centroids = torch.stack([states[senses == sense].mean(0) for sense in known])
    return known.long()[F.cosine_similarity(asked[:, None], centroids, dim=-1).argmax(1)]
