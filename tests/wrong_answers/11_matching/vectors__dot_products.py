"""Dot products instead of cosines.

answer: vectors
caught by: test-vectors
message: cosines do not depend on lengths
"""


def my_vectors(states, mask):
    kept = torch.where(mask[..., None] > 0, states, 0.0)
    return kept.sum(1) / mask.sum(1, keepdim=True)


def my_loss(texts, candidates, temperature):
    units, others = texts, candidates
    logits = units @ others.T / temperature
    return (logits.logsumexp(1) - logits.diagonal()).mean()
