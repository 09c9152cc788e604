"""The queries and keys under every weight, listened to while a model reads.

A weight is softmax(q . k / sqrt(D)) of a query and a key (Vaswani et al. 2017, equation 1). They are caught by hooks on
the projections that make them, in the plain path that also returns the weights: the model computes what it always does.

Shapes: L layers, H heads, S tokens, D head size. Taught in chapter 13.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bertmini.inside.attend import Attended, attend

Vectors = NDArray[np.float64]


class Neurons(NamedTuple):
    """What a model attended to, and the queries and keys (L, H, S, D) that made it so."""

    attended: Attended
    queries: Vectors
    keys: Vectors


def listen(model: Any, tokenizer: Any, text: str, pair: str | None = None) -> Neurons:
    """Attention to a sentence or a pair as in `attend`, with every head's queries and keys.

    Works for any model whose attention modules have maps called ``query`` and ``key``, ours and Hugging Face's BERT.

    Raises:
        ValueError: as in `attend`; the model has no such maps.
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
    queries, keys = (_split(torch.cat(heard[name]), heads) for name in ("query", "key"))
    return Neurons(attended, queries, keys)


def _split(hidden: Tensor, heads: int) -> Vectors:
    """Each head's own D numbers: (L, S, H * D) to (L, H, S, D)."""
    array: Vectors = hidden.reshape(*hidden.shape[:2], heads, -1).transpose(1, 2).double().cpu().numpy()
    return array


class Recorded:
    """A model for bertviz's neuron view, which wants an output of its own kind: it plays back what was heard."""

    def __init__(self, neurons: Neurons) -> None:
        """Keep the record."""
        arrays = (neurons.attended.attentions, neurons.queries, neurons.keys)
        self.layers = [
            dict(
                zip(
                    ("attn", "queries", "keys"), (torch.from_numpy(array[layer])[None] for array in arrays), strict=True
                )
            )
            for layer in range(len(neurons.queries))
        ]

    def eval(self) -> None:
        """Nothing to switch off in a record."""

    def __call__(self, input_ids: Tensor, token_type_ids: Tensor | None = None) -> tuple[list[dict[str, Tensor]]]:  # noqa: ARG002
        """The record, as the last item of an output."""
        return (self.layers,)
