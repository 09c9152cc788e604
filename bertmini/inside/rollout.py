"""Attention rollout and flow: how much of each token's place reaches a place through all layers, if weights were all.

Abnar and Zuidema (2020, "Quantifying attention flow in transformers", section 3): a layer passes on half of what it was
given (the residual connection) and mixes the other half by its weights, the mean over its heads. So a layer is the
matrix (A + I) / 2, and the way through several layers is their product, the last one leftmost.

*Flow* (section 3, too) takes the same matrices as pipes between layers, and asks how much a network of pipes could
carry from one token to one state at most: the narrowest part of the way counts, not the product.

Both are heuristics. Values, the feed-forward networks and the norms are left out, and half is a guess (chapter 14).

Shapes: L layers, S tokens. Taught in chapter 14.
"""

from collections.abc import Sequence
from typing import Any

import networkx  # type: ignore[import-untyped]  # PyTorch brings it
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


def flow(attentions: Any, tokens: Sequence[str], place: int) -> Weights:
    """The largest flow from each token's embedding to the last state of the token at `place`, (S,), made to sum to 1.

    Takes what `check_attention` does and raises `ValueError` as it does, and for a place that is none.

    >>> flow([[[[0.0, 1.0], [1.0, 0.0]]]], ["a", "b"], 0).tolist()
    [0.5, 0.5]
    """
    stack = check_attention(attentions, tokens)
    if not 0 <= place < len(tokens):
        raise ValueError(f"place {place}: expected one of the tokens 0 to {len(tokens) - 1}")
    pipes = networkx.DiGraph()
    for layer, weights in enumerate((stack.mean(1) + np.eye(len(tokens))) / 2):
        for into, origin in zip(*np.nonzero(weights), strict=True):
            pipes.add_edge((layer, int(origin)), (layer + 1, int(into)), capacity=float(weights[into, origin]))
    end = (len(stack), place)
    carried = [
        networkx.maximum_flow_value(pipes, (0, token), end) if (0, token) in pipes else 0.0
        for token in range(len(tokens))
    ]
    most: Weights = np.array(carried) / sum(carried)
    return most
