"""Averages over all places, padding too.

answer: vectors
caught by: test-vectors
message: padding must not count
"""


def my_vectors(states, mask):
    return states.mean(1)


def my_loss(texts, candidates, temperature):
    units, others = (vectors / vectors.norm(dim=1, keepdim=True) for vectors in (texts, candidates))
    logits = units @ others.T / temperature
    return (logits.logsumexp(1) - logits.diagonal()).mean()
