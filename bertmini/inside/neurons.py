"""The queries and keys under every weight, listened to while a model reads.

A weight is softmax(q . k / sqrt(D)) of a query and a key (Vaswani et al. 2017, equation 1). They are caught by hooks on
the projections that make them: the model computes what it always does.

Shapes: L layers, H heads, S tokens, D head size. Taught in chapter 13.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bertmini.inside.attend import attend
from bertmini.inside.weights import Weights

Vectors = NDArray[np.float64]


class Neurons(NamedTuple):
    """What a model attended to, as `Attended`, and the queries and keys (L, H, S, D) that made it so."""

    attentions: Weights
    tokens: list[str]
    second: int | None
    queries: Vectors
    keys: Vectors


def listen(model: Any, tokenizer: Any, text: str, pair: str | None = None) -> Neurons:
    """Attention to a sentence or a pair as in `attend`, with every head's queries and keys.

    Works for any model whose attention modules have maps called `query` and `key`, ours and Hugging Face's BERT; the
    view takes it whole: `neuron_view(*listen(model, tokenizer, "the cat sat"))`. Raises `ValueError` as `attend` does,
    and for a model that has no such maps.
    """
    layers = [module for module in model.modules() if hasattr(module, "query") and hasattr(module, "key")]
    heard: dict[str, list[Tensor]] = {"query": [], "key": []}
    hooks = [
        getattr(layer, name).register_forward_hook(lambda _, __, output, name=name: heard[name].append(output))
        for layer in layers
        for name in heard
    ]
    try:
        attended = attend(model, tokenizer, text, pair)
    finally:
        for hook in hooks:
            hook.remove()
    expected = attended.attentions.shape[0]
    if {len(heard["query"]), len(heard["key"])} != {expected}:
        raise ValueError(
            f"the model has {expected} layers, but {len(heard['query'])} maps called 'query' were used: expected one "
            "in each; for this model show head_view instead"
        )
    heads = attended.attentions.shape[1]
    return Neurons(*attended, *(_split(torch.cat(heard[name]), heads) for name in ("query", "key")))


def _split(hidden: Tensor, heads: int) -> Vectors:
    """Each head's own D numbers: (L, S, H * D) to (L, H, S, D)."""
    array: Vectors = hidden.reshape(*hidden.shape[:2], heads, -1).transpose(1, 2).double().cpu().numpy()
    return array
