"""Attention as it is told to be: a model's weights are replaced on their way, and everything else is as before.

Uniform weights, permuted ones, another model's: the counterfactuals of the debate whether attention explains (Jain and
Wallace 2019, "Attention is not Explanation"; Wiegreffe and Pinter 2019, "Attention is not not Explanation").
Gradients flow, so that a model can also be trained in this state.

It works for our encoder alone, whose attention asks an object how tokens meet (see `bertmini.model.attention`).
Shapes: B rows, H heads, S tokens, E hidden. Taught in chapter 14.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

Change = Callable[[int, Tensor], Tensor]
"""From the number of a layer and its weights (B, H, S, S) to the weights that are used."""


class Told(NamedTuple):
    """What each token has mixed (B, S, E), and the weights (B, H, S, S) that did it."""

    output: Tensor
    weights: Tensor


@contextmanager
def told_attention(model: nn.Module, change: Change) -> Iterator[None]:
    """Let `change` decide the weights of every layer until the `with` block ends.

    Called with `output_attentions=True`, the model returns the weights that were used. Raises `ValueError` for a model
    that is not one of ours.
    """
    layers = [module for module in model.modules() if hasattr(module, "query") and hasattr(module, "heads")]
    if not layers:
        raise ValueError(f"{type(model).__name__} has no attention that can be told: expected one of ours")

    def tell(number: int) -> Callable[[nn.Module, tuple[Any, ...]], tuple[Any, ...]]:
        def hook(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
            asking, answering, meet = given
            mask = getattr(meet, "mask", None)

            def told(query: Tensor, key: Tensor, value: Tensor, *, heads: int, dropout: nn.Module) -> Told:
                query, key, value = (
                    part.view(*part.shape[:2], heads, -1).transpose(1, 2) for part in (query, key, value)
                )
                scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (B, H, S, S)
                if mask is not None:
                    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
                weights = change(number, scores.softmax(-1))
                return Told((dropout(weights) @ value).transpose(1, 2).flatten(2), weights)

            return asking, answering, told

        return hook

    with ExitStack() as stack:
        for encoder in (module for module in model.modules() if getattr(module, "loose", False)):
            encoder.loose = False  # type: ignore[assignment]  # every token in its row, or weights have no shape
            stack.callback(setattr, encoder, "loose", True)
        for number, layer in enumerate(layers):
            stack.callback(layer.register_forward_pre_hook(tell(number)).remove)
        yield
