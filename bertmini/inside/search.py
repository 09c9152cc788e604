"""Search a small corpus for the places where a head fires: in which text, and where, does it give most?

One sentence is an anecdote, chosen by whoever shows it. The sentences in which a head gives most are chosen by the head
(as in exBERT, Hoover, Strobelt and Gehrmann 2020). They are its extremes, not its habits: for these there
is the mean over the corpus beside them.

Delimiters neither ask nor are asked here: nearly every head gives them something. Shapes: S tokens.
Left out on purpose: corpora that do not fit into memory. Taught in chapter 13.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bertmini.inside.attend import Attended, attend
from bertmini.inside.patterns import DELIMITERS, Pattern, mean_patterns
from bertmini.inside.weights import Weights


class Firing(NamedTuple):
    """A text in which a head gives much, and where: the token that asks, the one that gets most, and how much."""

    text: int
    """Its number in the corpus."""
    asks: int
    asked: int
    weight: float
    row: Weights
    """What the token that asks takes from each, (S,)."""


class Found(NamedTuple):
    """The texts' tokens; for each layer and head the firings, strongest first, and its mean pattern over all texts."""

    texts: list[list[str]]
    firings: list[list[list[Firing]]]
    patterns: list[list[Pattern]]


def search_heads(model: Any, tokenizer: Any, texts: Sequence[str | tuple[str, str]], *, best: int = 4) -> Found:
    """For every head the `best` texts, sentences or pairs, in which one word gives most to one word.

    Each text counts once, by its largest weight between tokens that are not delimiters. Raises `ValueError` as `attend`
    does, for no texts, and for one without a word.
    """
    seen = [attend(model, tokenizer, *((text,) if isinstance(text, str) else text)) for text in texts]
    patterns = mean_patterns(seen)
    strongest = [_strongest(reading, number) for number, reading in enumerate(seen)]
    firings = [
        [sorted((each[layer][head] for each in strongest), key=lambda one: -one.weight)[:best] for head in range(heads)]
        for layer, heads in enumerate(len(row) for row in patterns)
    ]
    return Found([reading.tokens for reading in seen], firings, patterns)


def _strongest(reading: Attended, number: int) -> list[list[Firing]]:
    """Where each head gives most in one text."""
    words = np.array([token not in DELIMITERS for token in reading.tokens])
    if not words.any():
        raise ValueError(f"text {number} has no word: expected sentences, such as 'the cat sat'")
    between = np.where(words[:, None] & words, reading.attentions, -1.0)  # (L, H, S, S)

    def firing(weights: Weights, whole: Weights) -> Firing:
        asks, asked = divmod(int(weights.argmax()), len(words))
        return Firing(number, asks, asked, float(weights[asks, asked]), whole[asks])

    return [
        [firing(*pair) for pair in zip(*layers, strict=True)]
        for layers in zip(between, reading.attentions, strict=True)
    ]
