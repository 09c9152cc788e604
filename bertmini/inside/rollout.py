"""Attention rollout: how much of each token's place reaches each place by way of all layers, if weights were all.

Abnar and Zuidema (2020, "Quantifying attention flow in transformers", section 3): a layer passes on half of what it was
given (the residual connection) and mixes the other half by its weights, the mean over its heads. So a layer is the
matrix (A + I) / 2, and the way through several layers is their product, the last one leftmost.

It is a heuristic. Values, the feed-forward networks and the norms are left out, and half is a guess (chapter 14).

Shapes: L layers, S tokens. Taught in chapter 13.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertmini.inside.weights import Weights, check_attention


def rollout(attentions: Any, tokens: Sequence[str]) -> Weights:
    """The rollout up to each layer, (L, S, S), of what `check_attention` takes; rows sum to 1, the last is the whole.

    Raises `ValueError` as `check_attention` does.

    >>> rollout([[[[0.0, 1.0], [1.0, 0.0]]]], ["a", "b"])[-1].tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    stack = check_attention(attentions, tokens)
    reached = np.eye(len(tokens))
    steps = []
    for weights in stack.mean(1):
        reached = (weights + np.eye(len(tokens))) / 2 @ reached
        steps.append(reached)
    return np.stack(steps)
