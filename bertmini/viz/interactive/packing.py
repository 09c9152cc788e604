"""Readings as the explorer's page takes them: checked, and every number as it will be shown.

A weight travels as one character, its hundredths, rounded as Python prints them; probabilities as whole numbers per
mille. So the page computes nothing that it shows: it prints what was computed here.

Taught in chapter 13.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bertmini.inside.ablation import Guesses
from bertmini.inside.patterns import Pattern, head_patterns
from bertmini.inside.reading import Reading
from bertmini.inside.rollout import rollout
from bertmini.inside.search import Found
from bertmini.inside.weights import Weights, check_attention

# From "?" on what neither HTML nor JSON has to escape, no digits; past ASCII from "À" on. explorer.js has the same.
ALPHABET = [chr(code) for code in (*range(63, 127), *range(192, 230)) if chr(code) != "\\"]

Shown = tuple[Any, ...] | list[tuple[int, tuple[Any, ...]]]
"""A `Reading`, or what `attend` returns, or a list of (training step, such a reading)."""


class Side(NamedTuple):
    """One text read by one model, at one or more training steps, its attention checked."""

    name: str
    steps: list[tuple[int, Reading]]

    @property
    def tokens(self) -> Sequence[str]:
        """The tokens, the same at every step."""
        return self.steps[0][1].tokens

    @property
    def shape(self) -> tuple[int, int]:
        """How many layers, and heads in each."""
        layers, heads = self.steps[0][1].attentions.shape[:2]
        return layers, heads


def make_side(name: str, shown: Shown) -> Side:
    """Check a reading, or a list of (training step, reading).

    Raises `ValueError` as `check_attention` does, and for steps that are not of one model on one text.
    """
    listed = shown if isinstance(shown, list) else [(0, shown)]
    if not listed or not all(isinstance(step, int) and isinstance(reading, tuple) for step, reading in listed):
        raise ValueError("expected a reading, as read_text or attend return it, or a list of (training step, reading)")
    steps = []
    for step, given in listed:
        reading = Reading(*given)
        steps.append((step, reading._replace(attentions=check_attention(reading.attentions, reading.tokens))))
    first = steps[0][1]
    for step, reading in steps:
        if (reading.attentions.shape, list(reading.tokens)) != (first.attentions.shape, list(first.tokens)):
            raise ValueError(
                f"step {step} has other layers, heads or tokens than step {steps[0][0]}: expected one model"
            )
    return Side(name, steps)


class Packer:
    """Packs sides, and keeps what they share: words, and what was found in corpora."""

    def __init__(self) -> None:
        """Share nothing yet."""
        self.words: dict[str, int] = {}
        self.found: list[Any] = []
        self._known: dict[int, int] = {}  # a Found by its identity, and where it is kept

    def side(self, side: Side, place: int) -> dict[str, Any]:
        """A side as the page reads it, opening at a token."""
        layers, heads = side.shape
        return {
            "name": side.name,
            "tokens": list(side.tokens),
            "second": side.steps[0][1].second,
            "layers": layers,
            "heads": heads,
            "place": place,
            "steps": [self._step(step, reading) for step, reading in side.steps],
        }

    def _step(self, step: int, reading: Reading) -> list[Any]:
        """[step, heads then means then rollouts as characters, facts by head, guesses, number of what was found]."""
        stack = reading.attentions
        shown = (stack, stack.mean(1), rollout(stack, reading.tokens))
        facts = [pattern_facts(pattern) for layer in head_patterns(stack, reading.tokens) for pattern in layer]
        guesses = [
            [
                one.place,
                self._guesses(one.whole),
                [[_per_mille(cut.first), *self._guesses(cut)] for layer in one.without for cut in layer],
            ]
            for one in reading.ablation
        ]
        return [step, "".join(map(as_letters, shown)), facts, guesses, self._share(reading.found)]

    def _guesses(self, guesses: Guesses) -> list[int]:
        """[number of a word, per mille, number of a word, ...]."""
        pairs = zip(guesses.pieces, guesses.probabilities, strict=True)
        return [
            value
            for piece, chance in pairs
            for value in (self.words.setdefault(piece, len(self.words)), _per_mille(chance))
        ]

    def _share(self, found: Found | None) -> int | None:
        """Keep what was found, once, and say where."""
        if found is None:
            return None
        if id(found) not in self._known:
            self._known[id(found)] = len(self.found)
            firings = [head for layer in found.firings for head in layer]
            patterns = [pattern for layer in found.patterns for pattern in layer]
            self.found.append(
                {
                    "texts": found.texts,
                    "heads": [
                        [pattern.words, [[one.text, one.asks, one.asked, as_letters(one.row)] for one in ones]]
                        for pattern, ones in zip(patterns, firings, strict=True)
                    ],
                }
            )
        return self._known[id(found)]


def as_letters(weights: Weights) -> str:
    """Weights as characters: number k of the alphabet stands for k hundredths.

    >>> import numpy as np
    >>> as_letters(np.array([0.004, 0.01, 0.104, 0.296]))
    '?@I^'
    """
    hundredths = (round(100 * round(weight, 2)) for weight in weights.ravel().tolist())
    return "".join(ALPHABET[min(level, 100)] for level in hundredths)


def pattern_facts(pattern: Pattern) -> list[str | float]:
    """A head's words, its label, its four shares and its breadth in per cent, its entropy and distance."""
    shares = [round(100 * share) for share in (*pattern.shares.values(), pattern.breadth)]
    return [pattern.words, pattern.short, *shares, round(pattern.entropy, 2), round(pattern.distance, 1)]


def _per_mille(probability: float) -> int:
    return round(1000 * probability)


def by_name(shown: Shown | Mapping[str, Shown]) -> dict[str, Shown]:
    """Texts by name: one without a name, or several to choose from."""
    if not isinstance(shown, Mapping):
        return {"": shown}
    if not shown:
        raise ValueError("there is no text to choose: expected a name and a reading for each")
    return dict(shown)
