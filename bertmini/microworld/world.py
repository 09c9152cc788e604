"""The world as one object: its vocabulary, its documents, its sentence pairs, and their exact distributions.

The idea: whatever is sampled here is sampled from a table that `posterior` also reads. The pairs that pretraining sees
are drawn from `pair_distribution`, so the floor that is computed for a batch is the floor of that very batch, not of a
similar one.

How a pair is drawn. A document is drawn (by its share), then one of its pairs of neighbours, all equally likely: this
is the pair (A, B) of a *next* example. For a *not next* example A is drawn in the same way and B comes from another
document: `random`, any sentence of it, all equally likely; `position`, a sentence from the same place ("story:
Act[second]") as the true B, so that only the content can give it away; `swapped`, no other document at all, but (B, A):
sentence-order prediction.
Source: Devlin et al. 2019, section 3.1 (next sentence); Lan et al. 2020, section 3.1 (order).
Taught in chapter 00, the pairs in chapter 06.
"""

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from bertmini.microworld.compile import Graph, Sentence
from bertmini.microworld.grammar import DEFAULT_GRAMMAR
from bertmini.microworld.notation import Grammar, Kind, parse
from bertmini.microworld.sampling import Choice, Document, Pair, Walker, to_text
from bertmini.microworld.twin import twin_grammar, twin_piece

SPECIAL_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
Negatives = Literal["random", "position", "swapped"]
Split = Literal["train", "validation", "test"]


class Derivation(NamedTuple):
    """A document before its words are chosen: its sentences with all features given."""

    probability: float  # within its kind
    texts: tuple[tuple[Sentence, ...], ...]
    places: tuple[str, ...]
    values: dict[str, str]


def _python_generator(generator: torch.Generator) -> random.Random:
    """A fast generator for the walks, seeded by one draw."""
    return random.Random(int(torch.randint(2**62, (1,), generator=generator)))


class PairDistribution(NamedTuple):
    """The joint probability of two sentence symbols: `joint[label, i, j]` for `sentences[i]` and `sentences[j]`."""

    sentences: list[Sentence]
    places: list[str]
    joint: Tensor  # (2, C, C) float64


def split_generator(split: Split, seed: int = 0) -> torch.Generator:
    """A generator for one split: no seed of one split is ever a seed of another."""
    offsets = {"train": 0, "validation": 1, "test": 2}
    if split not in offsets or seed < 0:
        raise ValueError(f"split {split!r}, seed {seed}: expected one of {list(offsets)} and a seed of 0 or more")
    return torch.Generator().manual_seed(3 * seed + offsets[split])


class World:
    """A language with known probabilities. `World.default()` is the book's; `World(text)` reads another grammar."""

    def __init__(
        self, grammar: str | Grammar, *, vocabulary: list[str] | None = None, spell: Callable[[str], str] = str
    ) -> None:
        """Reads and checks a grammar, by default with exactly its own pieces as vocabulary.

        Raises `ValueError` that names the line if the grammar is wrong.
        """
        self.grammar = parse(grammar) if isinstance(grammar, str) else grammar
        self.graph = Graph(self.grammar, spell)
        self._spell = spell
        self._derivations: dict[tuple[str, bool], list[Derivation]] = {}
        for kind in self.grammar.kinds.values():
            found, hidden = self._derive(kind)
            self._derivations[kind.name, False], self._derivations[kind.name, True] = found, hidden
            for derivation in found + hidden:
                for text in derivation.texts:
                    for sentence in text:
                        self.graph.text([sentence], kind.line)
        self.graph.check_all_used()
        own = sorted({piece for state in self.graph.states for piece, _ in state.emission})
        self._vocabulary = list(vocabulary) if vocabulary is not None else [*SPECIAL_PIECES, *own]
        if tuple(self._vocabulary[: len(SPECIAL_PIECES)]) != SPECIAL_PIECES or not set(own) <= set(self._vocabulary):
            raise ValueError(f"the vocabulary must begin with {SPECIAL_PIECES} and hold every piece of the world")
        self._walker = Walker(self.graph)
        self._choices: dict[Sentence, Choice] = {}
        self._pairs: dict[str, PairDistribution] = {}

    @classmethod
    def default(cls) -> "World":
        """The world of the book."""
        return cls(DEFAULT_GRAMMAR)

    def vocabulary(self) -> list[str]:
        """All pieces, the five special ones first; a piece's place is its id."""
        return list(self._vocabulary)

    def kinds(self) -> list[str]:
        """The names of all documents and tasks."""
        return list(self.grammar.kinds)

    def twin(self) -> "World":
        """The same world in another language: every word replaced one for one, every phrase in reverse order."""
        return World(twin_grammar(self.grammar), spell=twin_piece)

    def with_vocabulary(self, pieces: list[str]) -> "World":
        """The same world with a larger vocabulary, for a model that also reads another language."""
        return World(self.grammar, vocabulary=pieces, spell=self._spell)

    # ------------------------------------------------------------------ documents before words
    def derivations(self, kind: str, *, held_out: bool = False) -> list[Derivation]:
        """Every document of a kind before words are chosen. `held_out`: the combinations that normal text never has."""
        if kind not in self.grammar.kinds:
            raise ValueError(f"kind {kind!r}: expected one of {self.kinds()}")
        found = self._derivations[kind, held_out]
        if not found:
            raise ValueError(
                f"kind {kind!r} has no held-out combination; only kinds with these features do: "
                f"{[list(combination) for combination in self.grammar.held_out[:1]]}"
            )
        return found

    def _derive(self, kind: Kind) -> tuple[list[Derivation], list[Derivation]]:
        """Normal and held-out documents of a kind; the probabilities of each list sum to 1."""
        groups: tuple[list[Derivation], list[Derivation]] = ([], [])
        asks = len(kind.plans[0].texts) == 2 and any(i.marked for p in kind.plans for t in p.texts for i in t)
        for plan in kind.plans:
            items = [item for text in plan.texts for item in text]
            for probability, values in self.graph.bindings(items, {}):
                texts = tuple(tuple(self.graph.sentence(item, values) for item in text) for text in plan.texts)
                places = tuple(
                    f"{kind.name}: {item.name}" + "".join(f"[{a}]" for a in item.arguments if a not in values)
                    for item in items
                )
                known = {"kind": kind.name, **{name: value for name, value in values.items() if name[0] != "!"}}
                if asks:
                    known["answerable"] = "yes" if any(item.marked for item in items) else "no"
                elif len(texts) == 2:
                    known["shared"] = str(
                        sum(a == b for a, b in zip(texts[0][0].values, texts[1][0].values, strict=True))
                    )
                derivation = Derivation(plan.probability * probability, texts, places, known)
                groups[self._is_held_out(derivation, plan.line)].append(derivation)
        for group in groups:
            total = sum(derivation.probability for derivation in group)
            group[:] = [derivation._replace(probability=derivation.probability / total) for derivation in group]
        return groups

    def _is_held_out(self, derivation: Derivation, line: int) -> bool:
        for sentence in (sentence for text in derivation.texts for sentence in text):
            bound = self.graph.rule(sentence.name, sentence.values, line)[1]
            for combination in self.grammar.held_out:
                if all(bound.get(feature) == value for feature, value in combination.items()):
                    return True
        return False

    def pair_distribution(self, negatives: Negatives = "random") -> PairDistribution:
        """The distribution of pretraining pairs under a negative sampler, as the head of this module defines it."""
        if negatives not in ("random", "position", "swapped"):
            raise ValueError(f"negatives {negatives!r}: expected 'random', 'position' or 'swapped'")
        if negatives not in self._pairs:
            self._pairs[negatives] = self._join(negatives)
        return self._pairs[negatives]

    def _join(self, negatives: Negatives) -> PairDistribution:
        numbers: dict[tuple[Sentence, str], int] = {}
        neighbours: list[tuple[int, int, float]] = []
        singles: list[tuple[int, float]] = []
        for kind in self.grammar.kinds.values():
            for derivation in self._derivations[kind.name, False] if kind.share else []:
                sentences = [sentence for text in derivation.texts for sentence in text]
                row = [numbers.setdefault(key, len(numbers)) for key in zip(sentences, derivation.places, strict=True)]
                weight = kind.share * derivation.probability
                neighbours += [(a, b, weight / (len(row) - 1)) for a, b in pairwise(row)]
                singles += [(a, weight / len(row)) for a in row]
        places = [place for _, place in numbers]
        following = torch.zeros(len(numbers), len(numbers), dtype=torch.float64)
        for a, b, weight in neighbours:
            following[a, b] += weight
        first, second = following.sum(1), following.sum(0)
        if negatives == "swapped":
            other = following.T.clone()
        elif negatives == "random":
            anywhere = torch.zeros_like(first)
            for a, weight in singles:
                anywhere[a] += weight
            other = torch.outer(first, anywhere)
        else:
            same_place = torch.tensor([[a == b for b in places] for a in places], dtype=torch.float64)
            shares = same_place @ second  # (C,) how often B comes from the place of context j
            other = (following @ same_place) * (second / shares.clamp(min=1e-300))
        joint = torch.stack([following, other]) / 2
        return PairDistribution([sentence for sentence, _ in numbers], places, joint / joint.sum())

    # ------------------------------------------------------------------ words
    def _choice(self, sentence: Sentence) -> Choice:
        if sentence not in self._choices:
            self._choices[sentence] = Walker.choice(self.graph.text([sentence]))
        return self._choices[sentence]

    def sample(
        self, n: int, *, generator: torch.Generator, kind: str | None = None, held_out: bool = False
    ) -> list[Document]:
        """`n` independent documents: of the pretraining mixture, or of one kind of document or task.

        >>> documents = World.default().sample(3, generator=split_generator("train"))
        >>> len(documents)
        3
        """
        shares = (
            {name: line.share for name, line in self.grammar.kinds.items() if line.share}
            if kind is None
            else {kind: 1.0}
        )
        drawn = [
            (share, found) for name, share in shares.items() for found in self.derivations(name, held_out=held_out)
        ]
        weights = torch.tensor([share * found.probability for share, found in drawn], dtype=torch.float64)
        chosen = torch.multinomial(weights, n, replacement=True, generator=generator).tolist()
        draw = _python_generator(generator).random
        return [self._document(drawn[number][1], draw) for number in chosen]

    def _document(self, derivation: Derivation, draw: Callable[[], float]) -> Document:
        sentences = [sentence for text in derivation.texts for sentence in text]
        walks = [self._walker.walk(self._choice(sentence), draw) for sentence in sentences]
        pieces, labels = zip(*walks, strict=True)
        asked = [number for number, sentence in enumerate(sentences) if sentence.asked]
        return Document(
            sentences=tuple(map(to_text, pieces)),
            pieces=pieces,
            labels=labels,
            values=derivation.values,
            places=derivation.places,
            asked=asked[0] if asked else None,
            split=len(derivation.texts[0]),
        )

    def sample_pairs(self, n: int, *, negatives: Negatives = "random", generator: torch.Generator) -> list[Pair]:
        """`n` independent sentence pairs for pretraining; half have label 1: not next, or (`swapped`) wrong order."""
        sentences, places, joint = self.pair_distribution(negatives)
        chosen = torch.multinomial(joint.flatten(), n, replacement=True, generator=generator)
        draw = _python_generator(generator).random
        size = len(sentences)
        pairs = []
        for number in chosen.tolist():
            label, a, b = number // size**2, number // size % size, number % size
            first, first_labels = self._walker.walk(self._choice(sentences[a]), draw)
            second, second_labels = self._walker.walk(self._choice(sentences[b]), draw)
            pairs.append(
                Pair(
                    to_text(first),
                    to_text(second),
                    label,
                    (places[a], places[b]),
                    (first, second),
                    (first_labels, second_labels),
                )
            )
        return pairs
