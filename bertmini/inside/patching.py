"""Experiments on one prediction: take something out, or put another text's in, and see what becomes of the score.

What is put in decides what is asked (Heimersheim and Nanda 2024, "How to use and interpret activation patching"):
zeros, which the model never met; the mean, which says nothing in particular; or what stands there in another text,
*resampling*, which leaves every part of the model among things that it knows. Patching state by state from a second
text that differs in one word shows where, layer by layer, the difference travels.

Every effect is score(as it is) - score(with the change): positive where what was there spoke for the score.

Shapes: L layers, S tokens, R other texts, E hidden, N neurons. Taught in chapter 14.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from bertmini.inside.ablation import output_projections
from bertmini.inside.score import (
    Array,
    Inputs,
    Score,
    changed,
    encoder_layers,
    heard,
    linear_of,
    repeat,
    scores,
    whole_embeddings,
    word_embeddings,
)


def resample_tokens(model: nn.Module, inputs: Inputs, score: Score, others: Tensor) -> Array:
    """What is lost on average when a token is replaced by the one that stands there in another text: (S,).

    `others` are ids (R, S) of texts of the same length. One of [MASK] alone gives leave-one-out. Raises `ValueError`
    for other lengths and for more than one text.
    """
    places = inputs["input_ids"].shape[1]
    if others.shape[1] != places:
        raise ValueError(f"the other texts have {others.shape[1]} tokens, this one {places}: expected the same")
    given = repeat(inputs, places * len(others))
    ids = given["input_ids"].clone().view(len(others), places, places)
    ids.diagonal(dim1=1, dim2=2).copy_(others)
    found = scores(model, {**given, "input_ids": ids.flatten(0, 1)}, score).reshape(len(others), places)
    lost: Array = scores(model, inputs, score)[0] - found.mean(0)
    return lost


def replace_embeddings(model: nn.Module, inputs: Inputs, score: Score, vector: Tensor) -> Array:
    """What is lost when a token's word embedding is replaced by `vector` (E,), zeros or the table's mean: (S,)."""
    places = inputs["input_ids"].shape[1]
    one = torch.eye(places, dtype=torch.bool, device=vector.device)[..., None]
    with changed(word_embeddings(model), partial(_put, one, vector)):
        found = scores(model, repeat(inputs, places), score)
    lost: Array = scores(model, inputs, score)[0] - found
    return lost


def replace_neurons(model: nn.Module, inputs: Inputs, score: Score, layer: int, values: Tensor) -> Array:
    """What is lost when one neuron of a layer's feed-forward network says `values[n]` at every token: (N,).

    `values` (N,) are zeros, each neuron's mean, or what the neurons said elsewhere.
    """
    output = linear_of(encoder_layers(model)[layer].output)
    one = torch.eye(len(values), dtype=torch.bool, device=values.device)[:, None]
    with changed(output, partial(_put, one, values), given=True):
        found = scores(model, repeat(inputs, len(values)), score)
    lost: Array = scores(model, inputs, score)[0] - found
    return lost


@contextmanager
def replaced_heads(model: nn.Module, heads: Iterable[tuple[int, int]], others: list[Tensor]) -> Iterator[None]:
    """Let some heads, each a (layer, head), say what is found in `others`, one tensor per layer, until the block ends.

    Each of `others` broadcasts to what all heads of that layer have mixed, (B, S, E): a mean (E,), zeros, or another
    text's from `mixed_by_heads`. Blocks may be nested.
    """
    chosen = list(heads)
    with ExitStack() as stack:
        for layer, (projection, count) in enumerate(output_projections(model)):
            mine = [head for at, head in chosen if at == layer]
            stack.enter_context(changed(projection, _swap(mine, count, others[layer]), given=True))
        yield


def _swap(heads: list[int], count: int, other: Tensor) -> Callable[[Tensor], Tensor]:
    """Puts `other` in the columns of some of `count` heads."""

    def swap(mixed: Tensor) -> Tensor:
        owner = torch.arange(mixed.shape[-1], device=mixed.device) // (mixed.shape[-1] // count)
        return torch.where(torch.isin(owner, owner.new_tensor(heads)), other, mixed)

    return swap


def mixed_by_heads(model: nn.Module, inputs: Inputs) -> list[Tensor]:
    """What the heads of each layer have mixed, one (B, S, E) per layer: for `replaced_heads`, or to take a mean of."""
    return [heard(model, projection, inputs, given=True) for projection, _ in output_projections(model)]


def patch_states(model: nn.Module, inputs: Inputs, other: Inputs, score: Score) -> Array:
    """What is lost when one state is the other text's: (L + 1, S), embeddings first, then each layer's output.

    Both texts are one row of the same length; a state is patched at one place after one layer. Raises `ValueError` for
    other lengths.
    """
    places = inputs["input_ids"].shape[1]
    if other["input_ids"].shape != inputs["input_ids"].shape:
        raise ValueError(
            f"the texts have {places} and {other['input_ids'].shape[1]} tokens: expected two of the same length"
        )
    whole = scores(model, inputs, score)[0]
    one = torch.eye(places, dtype=torch.bool, device=inputs["input_ids"].device)[..., None]
    lost = torch.zeros(len(encoder_layers(model)) + 1, places, dtype=torch.float64)
    for depth, module in enumerate([whole_embeddings(model), *encoder_layers(model)]):
        theirs = heard(model, module, other)
        with changed(module, partial(_put, one, theirs)):
            lost[depth] = torch.from_numpy(whole - scores(model, repeat(inputs, places), score))
    return np.asarray(lost)


def _put(where: Tensor, value: Tensor, states: Tensor) -> Tensor:
    """The states, with `value` where it belongs."""
    return torch.where(where, value, states)
