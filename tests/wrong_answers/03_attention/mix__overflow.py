"""Writes softmax as its formula has it, which overflows for large scores.

answer: mix
caught by: test-mix
message: subtract the largest score first
"""


def mix(query, keys, values):
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) / math.sqrt(len(query)) for key in keys]
    powers = [math.exp(score) for score in scores]
    weights = [power / sum(powers) for power in powers]
    return [sum(w * value[i] for w, value in zip(weights, values, strict=True)) for i in range(len(values[0]))]
