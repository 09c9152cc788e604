"""Multiplies by the mask, which leaves a nan a nan.

answer: vectors
caught by: test-vectors
message: times zero it is still nan
"""


def my_vectors(states, mask):
    kept = states * mask[..., None]
    return kept.sum(1) / mask.sum(1, keepdim=True)


def my_loss(texts, candidates, temperature):
    units, others = (vectors / vectors.norm(dim=1, keepdim=True) for vectors in (texts, candidates))
    logits = units @ others.T / temperature
    return (logits.logsumexp(1) - logits.diagonal()).mean()
