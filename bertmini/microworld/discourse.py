"""Documents before their words are chosen, and which sentence follows which.

The idea: a document is first a row of sentence symbols with all features given (`Opening[river she]`, `Act[river she
last]`). There are only some thousands of them, so they are written out, and with them the joint distribution of two
neighbours: that table is what next-sentence prediction is about. It is used twice, to draw the pairs of a batch and to
compute their floor.

How a pair is drawn. A document is drawn (by its share), then one of its pairs of neighbours, all equally likely: this
is the pair (A, B) of a *next* example. For a *not next* example A is drawn in the same way, and B comes from another
document: `random`, any sentence of it, all equally likely; `position`, a sentence from the same place ("story:
Act[second]") as the true B, so that only the content can give it away; `swapped`, no other document at all, but (B, A):
sentence-order prediction.
Source: Devlin et al. 2019, section 3.1 (next sentence); Lan et al. 2020, section 3.1 (order).
Left out on purpose: pairs of more than one sentence each, as BERT's own pretraining has them.
Taught in chapter 06.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from bertmini.microworld.compile import Graph, Sentence
from bertmini.microworld.notation import Item, Kind, Plan

Negatives = Literal["random", "position", "swapped"]


class Derivation(NamedTuple):
    """A document before its words are chosen: its sentences with all features given."""

    probability: float  # within its kind
    texts: tuple[tuple[Sentence, ...], ...]
    places: tuple[str, ...]  # where each sentence stands: "story: Act[second]"
    values: dict[str, str]

    @property
    def sentences(self) -> list[Sentence]:
        """All sentences of all texts."""
        return [sentence for text in self.texts for sentence in text]


class PairDistribution(NamedTuple):
    """The joint probability of two sentence symbols: `joint[label, i, j]` for `sentences[i]` and `sentences[j]`."""

    sentences: list[Sentence]
    places: list[str]
    joint: Tensor  # (2, C, C) float64, sums to 1; label 0: next


def derive(graph: Graph, kind: Kind) -> tuple[list[Derivation], list[Derivation]]:
    """Normal and held-out documents of a kind; the probabilities of each list sum to 1.

    Holding a combination out does not change how often each plan of the kind is used, unless it empties the plan.
    """
    normal: list[Derivation] = []
    held_out: list[Derivation] = []
    marked = any(item.marked for plan in kind.plans for item in _items(plan))
    for plan in kind.plans:
        found = [
            _derivation(graph, kind, plan, probability, values, marked)
            for probability, values in graph.bindings(_items(plan), {})
        ]
        hidden = [_is_held_out(graph, derivation, plan.line) for derivation in found]
        for group, wanted in ((normal, False), (held_out, True)):
            part = [derivation for derivation, is_hidden in zip(found, hidden, strict=True) if is_hidden == wanted]
            group += _normalised(part, plan.probability)
    return _normalised(normal, 1.0), _normalised(held_out, 1.0)


def _items(plan: Plan) -> list[Item]:
    return [item for text in plan.texts for item in text]


def _normalised(group: list[Derivation], total: float) -> list[Derivation]:
    now = sum(derivation.probability for derivation in group)
    return [derivation._replace(probability=derivation.probability * total / now) for derivation in group]


def _derivation(
    graph: Graph, kind: Kind, plan: Plan, probability: float, values: dict[str, str], marked: bool
) -> Derivation:
    texts = tuple(tuple(graph.sentence(item, values) for item in text) for text in plan.texts)
    places = tuple(
        f"{kind.name}: {item.name}" + "".join(f"[{argument}]" for argument in item.arguments if argument not in values)
        for item in _items(plan)
    )
    known = {"kind": kind.name, **{name: value for name, value in values.items() if not name.startswith("!")}}
    if len(texts) == 2 and marked:
        known["answerable"] = "yes" if any(item.marked for item in _items(plan)) else "no"
    elif len(texts) == 2:
        first, second = texts[0][0].values, texts[1][0].values
        known["shared"] = str(sum(a == b for a, b in zip(first, second, strict=True)))
    return Derivation(probability, texts, places, known)


def _is_held_out(graph: Graph, derivation: Derivation, line: int) -> bool:
    """Whether one of the sentences has one of the held-out combinations of features."""
    bound = [graph.rule(sentence.name, sentence.values, line)[1] for sentence in derivation.sentences]
    combinations = graph.grammar.held_out
    return any(combination.items() <= values.items() for values in bound for combination in combinations)


def join_pairs(documents: Iterable[tuple[float, Derivation]], negatives: Negatives) -> PairDistribution:
    """The distribution of pretraining pairs from (share, document), as the head of this module defines it."""
    numbers: dict[tuple[Sentence, str], int] = {}
    neighbours: list[tuple[int, int, float]] = []
    singles: list[tuple[int, float]] = []
    for share, document in documents:
        row = [numbers.setdefault(key, len(numbers)) for key in zip(document.sentences, document.places, strict=True)]
        weight = share * document.probability
        neighbours += [(a, b, weight / (len(row) - 1)) for a, b in pairwise(row)]
        singles += [(a, weight / len(row)) for a in row]
    places = [place for _, place in numbers]
    following = torch.zeros(len(numbers), len(numbers), dtype=torch.float64)
    for a, b, weight in neighbours:
        following[a, b] += weight
    anywhere = torch.zeros(len(numbers), dtype=torch.float64)
    for a, weight in singles:
        anywhere[a] += weight
    joint = torch.stack([following, _not_next(following, anywhere, places, negatives)])
    return PairDistribution([sentence for sentence, _ in numbers], places, joint / joint.sum())


def _not_next(following: Tensor, anywhere: Tensor, places: list[str], negatives: Negatives) -> Tensor:
    """The joint distribution (C, C) of (A, B) in an example that is not next."""
    if negatives == "swapped":
        return following.T
    if negatives == "random":
        return torch.outer(following.sum(1), anywhere)
    if negatives != "position":
        raise ValueError(f"negatives {negatives!r}: expected 'random', 'position' or 'swapped'")
    same_place = torch.tensor([[a == b for b in places] for a in places], dtype=torch.float64)
    second = following.sum(0)  # (C,) how often each is the B of a true pair
    return (following @ same_place) * (second / (same_place @ second).clamp(min=1e-300))
