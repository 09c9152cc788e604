"""Forgets the division by sqrt(d_k).

answer: mix
caught by: test-mix
message: divide each score by sqrt(d_k)
"""


def mix(query, keys, values):
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) for key in keys]
    powers = [math.exp(score - max(scores)) for score in scores]
    weights = [power / sum(powers) for power in powers]
    return [sum(w * value[i] for w, value in zip(weights, values, strict=True)) for i in range(len(values[0]))]
