"""Norm-based attention: not how much weight a token gets, but how long a vector it sends.

A head adds to token i, from token j, the vector a_ij f(x_j), where f(x) = (x W_V + b_V) W_O is the value mapped back
to the residual stream (Kobayashi et al. 2020, "Attention is not only a weight", equation 4). A large weight on a short
vector moves nothing. Their measure is the length, ||a_ij f(x_j)||; of a whole layer, of the sum over its heads.

Left out on purpose: the residual connection and the norm after it (Kobayashi et al. 2021), the feed-forward network.
Shapes: L layers, H heads, S tokens, D head size, E hidden. Taught in chapter 14.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bertmini.inside.ablation import output_projections
from bertmini.inside.attend import evaluating
from bertmini.inside.score import Array, Inputs, answer, heard, repeat


class Norms(NamedTuple):
    """Lengths of what each token (row) receives from each (column): of each head's vector, and of their sum."""

    heads: Array
    """(L, H, S, S)"""
    layers: Array
    """(L, S, S)"""


def attention_norms(model: nn.Module, inputs: Inputs) -> Norms:
    """The lengths for one text (1, S). Raises `ValueError` for several, and for a model that is not a BERT."""
    repeat(inputs, 1)
    values: list[nn.Module] = [
        child for name, child in model.named_modules() if name.endswith(("attention.value", "self.value"))
    ]
    with evaluating(model):
        attentions = answer(model, inputs).attentions
    projections: list[tuple[Any, int]] = output_projections(model)
    found = [
        _sent(weights[0], heard(model, value, inputs)[0], projection.weight.detach())
        for weights, value, (projection, _) in zip(attentions, values, projections, strict=True)
    ]
    each, together = zip(*((vectors.norm(dim=-1), vectors.sum(0).norm(dim=-1)) for vectors in found), strict=True)
    return Norms(*(np.asarray(torch.stack(part).double().cpu()) for part in (each, together)))


def _sent(weights: Tensor, value: Tensor, projection: Tensor) -> Tensor:
    """The vectors that one layer's heads send: weights (H, S, S) and values (S, E) to (H, S, S, E)."""
    heads = weights.shape[0]
    own = value.view(len(value), heads, -1).transpose(0, 1)  # (H, S, D)
    back = projection.T.reshape(heads, -1, len(projection))  # (H, D, E)
    sent: Tensor = weights[..., None] * (own @ back).unsqueeze(1)  # (H, S, S, E)
    return sent
