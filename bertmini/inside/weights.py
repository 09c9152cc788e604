"""What attention is taken as, everywhere: checked once, for all, with the likely cause of a mistake.

Attention arrives in many shapes: a model's tuple of one tensor per layer, one array of all, one head. After the checks
it is one float64 array (layers, heads, S, S), or (S, S) for one head, whose rows sum to 1.

Shapes: S tokens. Taught in chapter 13.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Weights = NDArray[np.float64]

EXACT, HALF = 1e-3, 5e-3  # how far from 1 a row may sum; bf16 is off by 2e-3, dropout by 1e-1
ASK = (
    "ask the model for output_attentions=True (in transformers also for attn_implementation='eager', "
    "without which it returns none)"
)


def check_attention(attentions: Any, tokens: Sequence[str]) -> Weights:
    """All layers and heads as one array (layers, heads, S, S), or what is wrong and why that may be.

    Takes what a model returns, one tensor or array (1, heads, S, S) or (heads, S, S) per layer, or one of all layers.
    Raises `ValueError` for no weights or weights of a wrong rank, a batch of several sequences, other tokens, numbers
    that are not finite, and rows that do not sum to 1.

    >>> check_attention([np.full((1, 3, 2, 2), 0.5)], ["a", "b"]).shape
    (1, 3, 2, 2)
    """
    if attentions is None or len(attentions) == 0 or any(layer is None for layer in attentions):
        raise ValueError(f"there are no attention weights: {ASK}")
    layers = [np.asarray(_plain(layer), dtype=np.float64) for layer in attentions]
    shapes = sorted({layer.shape for layer in layers})
    if len(shapes) > 1:
        raise ValueError(f"the layers have different shapes, {shapes[0]} and {shapes[1]}: pass one model's on one text")
    if len(shapes[0]) == 4 and shapes[0][0] > 1:
        raise ValueError(
            f"a batch of {shapes[0][0]} sequences: expected one; pass [layer[:1] for layer in attentions], "
            "and cut that sequence's padding from rows, columns and tokens"
        )
    stack = np.stack([layer[0] if layer.ndim == 4 else layer for layer in layers])
    return _checked(stack, tokens, 4, EXACT if _is_exact(attentions[0]) else HALF)


def check_head(weights: Any, tokens: Sequence[str]) -> Weights:
    """One head's weights as an array (S, S), or what is wrong and why that may be, as in `check_attention`."""
    return _checked(np.asarray(_plain(weights), np.float64), tokens, 2, EXACT if _is_exact(weights) else HALF)


def _plain(weights: Any) -> Any:
    """A tensor's numbers, wherever it lives and whatever its type; anything else as it is."""
    return weights.detach().double().cpu().numpy() if isinstance(weights, torch.Tensor) else weights


def _is_exact(weights: Any) -> bool:
    """Whether rows were summed with at least 24 binary digits."""
    return getattr(weights, "dtype", None) not in (torch.bfloat16, torch.float16, np.dtype(np.float16))


def _checked(array: Weights, tokens: Sequence[str], dimensions: int, tolerance: float) -> Weights:
    """The checks that one head and many have in common."""
    wanted = "(layers, heads, S, S)" if dimensions == 4 else "(S, S), one head of one sequence"
    if array.ndim != dimensions or array.shape[-1] != array.shape[-2] or not array.size:
        raise ValueError(
            f"the weights have the shape {array.shape}: expected {wanted}; was output_attentions=True given?"
        )
    if isinstance(tokens, str) or not all(isinstance(token, str) for token in tokens):
        raise ValueError("the tokens are not a list of pieces: pass tokenizer.encode(text).tokens, not text or ids")
    if len(tokens) != array.shape[-1]:
        raise ValueError(f"{len(tokens)} tokens, but {array.shape[-1]} columns: cut the padding from both")
    if not np.isfinite(array).all():
        raise ValueError("the weights are not all finite: was the model trained with too high a learning rate?")
    if array.min() < 0:
        raise ValueError(f"a weight is {array.min():.3f}, below 0: these look like scores; pass them through a softmax")
    sums = array.sum(-1)
    if np.abs(sums - 1).max() > tolerance:
        worst = sums.flat[np.abs(sums - 1).argmax()]
        raise ValueError(f"a row sums to {worst:.3f}, not 1: call model.eval() (dropout is on), and cut no columns")
    return array
