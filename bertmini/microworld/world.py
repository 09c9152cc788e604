"""The world as one object: its vocabulary, its documents, its sentence pairs, and their exact distributions.

The idea: whatever is sampled here is sampled from a table that `posterior` also reads, so the floor that is computed
for a batch is the floor of that very batch, not of a similar one. Documents and tasks come from `sample`, the sentence
pairs of pretraining from `sample_pairs`; both take their randomness from a `torch.Generator`, and `split_generator`
makes one whose seed no other split can have.
Left out on purpose: state. Sampling changes nothing but the generator.
Taught in chapter 00.
"""

import random
from collections.abc import Callable
from typing import Literal

import torch

from bertmini.config import SPECIAL_TOKENS
from bertmini.microworld.compile import Graph, Sentence
from bertmini.microworld.discourse import Derivation, Negatives, PairDistribution, derive, join_pairs
from bertmini.microworld.grammar import DEFAULT_GRAMMAR
from bertmini.microworld.notation import Grammar, parse
from bertmini.microworld.sampling import Choice, Walker, WorldDocument, WorldPair, to_text
from bertmini.microworld.twin import twin_grammar, twin_piece

Split = Literal["train", "validation", "test"]


def _python_generator(generator: torch.Generator) -> random.Random:
    """A fast generator for the walks, seeded by one draw."""
    return random.Random(int(torch.randint(2**62, (1,), generator=generator)))


def split_generator(split: Split, seed: int = 0) -> torch.Generator:
    """A generator for one split: no seed of one split is ever a seed of another."""
    offsets = {"train": 0, "validation": 1, "test": 2}
    if split not in offsets or seed < 0:
        raise ValueError(f"split {split!r}, seed {seed}: expected one of {list(offsets)} and a seed of 0 or more")
    return torch.Generator().manual_seed(3 * seed + offsets[split])


class World:
    """A language with known probabilities. `World.default()` is the book's; `World(text)` reads another grammar."""

    def __init__(self, grammar: str | Grammar, *, spell: Callable[[str], str] = str) -> None:
        """Reads and checks a grammar; its vocabulary is the special tokens and exactly its own pieces.

        Raises `ValueError` that names the line if the grammar is wrong.
        """
        self.grammar = parse(grammar) if isinstance(grammar, str) else grammar
        self.graph = Graph(self.grammar, spell)
        self._derivations: dict[tuple[str, bool], list[Derivation]] = {}
        for kind in self.grammar.kinds.values():
            found, hidden = derive(self.graph, kind)
            self._derivations[kind.name, False], self._derivations[kind.name, True] = found, hidden
            for sentence in dict.fromkeys(
                sentence for derivation in found + hidden for sentence in derivation.sentences
            ):
                self.graph.text([sentence], kind.line)
        self.graph.check_all_used()
        own = sorted({piece for state in self.graph.states for piece, _ in state.emission})
        self._vocabulary = [*SPECIAL_TOKENS, *own]
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

    def pair_distribution(self, negatives: Negatives = "random") -> PairDistribution:
        """The joint distribution of the two sentences and the label of a pretraining pair; see `discourse`."""
        if negatives not in self._pairs:
            shares = {name: kind.share for name, kind in self.grammar.kinds.items() if kind.share}
            documents = [(share, found) for name, share in shares.items() for found in self.derivations(name)]
            self._pairs[negatives] = join_pairs(documents, negatives)
        return self._pairs[negatives]

    # ------------------------------------------------------------------ words
    def _choice(self, sentence: Sentence) -> Choice:
        if sentence not in self._choices:
            self._choices[sentence] = Walker.choice(self.graph.text([sentence]))
        return self._choices[sentence]

    def sample(
        self, n: int, *, generator: torch.Generator, kind: str | None = None, held_out: bool = False
    ) -> list[WorldDocument]:
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

    def _document(self, derivation: Derivation, draw: Callable[[], float]) -> WorldDocument:
        sentences = derivation.sentences
        walks = [self._walker.walk(self._choice(sentence), draw) for sentence in sentences]
        pieces, labels = zip(*walks, strict=True)
        asked = [number for number, sentence in enumerate(sentences) if sentence.asked]
        return WorldDocument(
            sentences=tuple(map(to_text, pieces)),
            pieces=pieces,
            labels=labels,
            values=derivation.values,
            places=derivation.places,
            asked=asked[0] if asked else None,
            split=len(derivation.texts[0]),
        )

    def sample_pairs(self, n: int, *, negatives: Negatives = "random", generator: torch.Generator) -> list[WorldPair]:
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
                WorldPair(
                    to_text(first),
                    to_text(second),
                    label,
                    (places[a], places[b]),
                    (first, second),
                    (first_labels, second_labels),
                )
            )
        return pairs
