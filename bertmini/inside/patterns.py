"""What a head mostly looks at, in numbers and in a word: the previous token, the next, the same, delimiters, or all.

Clark et al. (2019, "What does BERT look at?", section 3) sort heads by the mean attention that they give to such
places, and by the entropy of their rows. So does this module, with one care more: attention that is spread evenly
gives each place something too, and in a short text the delimiters a lot. A head gets a name only if its share is at
least half way from what even attention would give to all. Failing that it is "broad" (its entropy is near the largest)
or "mixed".

A name describes these weights on this text. It is no claim about what the head is for (chapter 14).

Shapes: S tokens; a head's weights are (S, S), row i is what token i takes from each.
Left out on purpose: punctuation as a delimiter. Taught in chapter 13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertmini.config import CLS, SEP
from bertmini.inside.weights import Weights, check_attention

DELIMITERS = (CLS, SEP)
PHRASES = {"previous": "previous token", "next": "next token", "same": "same token", "delimiter": "delimiters"}
BROAD = 0.75  # of the largest possible entropy


@dataclass(frozen=True)
class Pattern:
    """One head on one text: the name that fits it best, and the numbers behind the name."""

    name: str
    """"previous", "next", "same", "delimiter", "broad" or "mixed"."""
    share: float
    """The part of its attention that goes there; of a broad head the breadth, of a mixed one its largest share."""
    shares: dict[str, float]
    """The share of each of the four places. They overlap where a delimiter is also a neighbour."""
    entropy: float
    """Mean entropy of the rows, in nats."""
    breadth: float
    """The entropy as a part of the largest possible, log S: 0 is one token, 1 is all alike."""
    distance: float
    """Mean number of places between a token and what it takes from, weighted by how much."""

    @property
    def short(self) -> str:
        """A label for a tile: the name, with its share where it has one."""
        return self.name if self.name not in PHRASES else f"{self.name} {percent(self.share)}"

    @property
    def words(self) -> str:
        """A label for a sentence, such as "previous token 87 %"."""
        if self.name == "broad":
            return f"broad, {percent(self.breadth)} of the largest entropy"
        if self.name == "mixed":
            most = max(self.shares, key=self.shares.__getitem__)
            seldom = f"{PHRASES[most]} at most {percent(self.shares[most])}"
            return f"mixed, {seldom if round(100 * self.shares[most]) else 'none of the four places'}"
        return f"{PHRASES[self.name]} {percent(self.share)}"


def head_patterns(attentions: Any, tokens: Sequence[str]) -> list[list[Pattern]]:
    """Name every head of what `check_attention` takes; the result is indexed by layer, then head.

    Raises `ValueError` as `check_attention` does.
    """
    return [[head_pattern(weights, tokens) for weights in layer] for layer in check_attention(attentions, tokens)]


def head_pattern(weights: Weights, tokens: Sequence[str]) -> Pattern:
    """Name one head, `weights` (S, S).

    >>> head_pattern(np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 0.8, 0.2]]), ["a", "b", "c"]).words
    'previous token 85 %'
    """
    shares, even = pattern_shares(weights, tokens), even_shares(tokens)
    entropy = mean_entropy(weights)
    breadth = entropy / float(np.log(max(len(tokens), 2)))
    return Pattern(*_named(shares, even, breadth), shares, entropy, breadth, mean_distance(weights))


def mean_patterns(readings: Sequence[tuple[Any, ...]]) -> list[list[Pattern]]:
    """Name every head over several texts, each as `attend` returns it: numbers are means over texts, then named.

    Raises `ValueError` as `check_attention` does, and for no text.
    """
    if not readings:
        raise ValueError("there is no text to take a mean over: expected one or more, as attend returns them")
    found = [head_patterns(*reading[:2]) for reading in readings]
    even = [even_shares(tokens) for _, tokens, *_ in readings]
    return [
        [_mean([patterns[layer][head] for patterns in found], even) for head in range(len(found[0][layer]))]
        for layer in range(len(found[0]))
    ]


def _mean(patterns: Sequence[Pattern], even: Sequence[dict[str, float]]) -> Pattern:
    """One head's numbers over several texts."""
    shares, evenly = (
        {name: float(np.mean([each[name] for each in several])) for name in PHRASES}
        for several in ([pattern.shares for pattern in patterns], even)
    )
    entropy, breadth, distance = (
        float(np.mean([getattr(pattern, name) for pattern in patterns])) for name in ("entropy", "breadth", "distance")
    )
    return Pattern(*_named(shares, evenly, breadth), shares, entropy, breadth, distance)


def _named(shares: dict[str, float], even: dict[str, float], breadth: float) -> tuple[str, float]:
    """The name that fits best, and the share behind it."""
    fitting = [name for name in shares if shares[name] >= (1 + even[name]) / 2 - 1e-9]
    if fitting:
        name = max(fitting, key=shares.__getitem__)
        return name, shares[name]
    return ("broad", breadth) if breadth >= BROAD else ("mixed", max(shares.values()))


def pattern_shares(weights: Weights, tokens: Sequence[str]) -> dict[str, float]:
    """The mean attention to the previous token, the next (of the rows that have one), the same, and the delimiters."""
    count = len(tokens)
    columns = [place for place, token in enumerate(tokens) if token in DELIMITERS]
    neighbours = max(count - 1, 1)
    return {
        "previous": float(np.trace(weights, offset=-1)) / neighbours,
        "next": float(np.trace(weights, offset=1)) / neighbours,
        "same": float(np.trace(weights)) / count,
        "delimiter": float(weights[:, columns].sum()) / count,
    }


def even_shares(tokens: Sequence[str]) -> dict[str, float]:
    """The shares of a head that gives every token the same."""
    count = len(tokens)
    return pattern_shares(np.full((count, count), 1 / count), tokens)


def mean_entropy(weights: Weights) -> float:
    """Mean over the rows of - sum w log w, in nats."""
    logs = np.log(np.where(weights > 0, weights, 1.0))
    return abs(float(-(weights * logs).sum(-1).mean()))  # abs: no -0.0


def mean_distance(weights: Weights) -> float:
    """Mean over the rows of sum w |i - j|, in tokens."""
    places = np.arange(weights.shape[-1])
    return float((weights * np.abs(places[:, None] - places)).sum(-1).mean())


def percent(share: float) -> str:
    """A share as readers write it.

    >>> percent(0.873)
    '87 %'
    """
    return f"{100 * share:.0f} %"
