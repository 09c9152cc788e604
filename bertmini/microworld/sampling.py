"""Documents and sentence pairs with every label that the latent state gives.

The idea: to sample is to walk the state graph, and a walk knows more than its words: the topic, who is meant, which
piece begins a place name. The records here are plain and frozen; `bertmini.data` turns them into batches. The walk
draws from Python's generator, seeded by one draw from the `torch.Generator` that the caller gives: a hundred times
faster than one tensor per word, and as repeatable.
Left out on purpose: rejection. Every walk ends in a sentence of the world.
Taught in chapter 00.
"""

from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bertmini.microworld.compile import END, Entry, Graph, Label

PUNCTUATION = (".", "?", ",")


def to_text(pieces: Sequence[str]) -> str:
    """Joins pieces as a reader expects: `##` pieces to the word before, punctuation without a space.

    >>> to_text(["ada", "saw", "the", "boat", "##s", "."])
    'ada saw the boats.'
    """
    text = " ".join(pieces).replace(" ##", "")
    for mark in PUNCTUATION:
        text = text.replace(" " + mark, mark)
    return text


@dataclass(frozen=True, slots=True)
class WorldDocument:
    """One document: its sentences and everything that is true of it.

    `pieces[k][j]` is the word piece j of sentence k; `labels[k][j]` says which slot it fills, its BIO tag, and the
    length of the answer that begins there. `values` are the features that the document drew (topic, mood, ...), its
    `kind`, and for tasks `answerable` (yes, no) or `shared` (how many arguments two reports have in common). A task
    with two texts has its first in `sentences[:split]` and its second behind; else `split` counts all sentences.
    """

    sentences: tuple[str, ...]
    pieces: tuple[tuple[str, ...], ...]
    labels: tuple[tuple[Label, ...], ...]
    values: Mapping[str, str]
    places: tuple[str, ...]  # where each sentence stands in the discourse: "story: Act[second]"
    asked: int | None  # the sentence that the task asks about (topic sentence, fact with the answer)
    split: int

    @property
    def kind(self) -> str:
        """Which `document` or `task` line of the grammar this is."""
        return self.values["kind"]

    @property
    def text(self) -> str:
        """The first text: a question, or the whole document."""
        return " ".join(self.sentences[: self.split])

    @property
    def pair(self) -> str | None:
        """The second text, if the task has one."""
        return " ".join(self.sentences[self.split :]) or None

    def words(self) -> tuple[list[str], list[str]]:
        """The words of the whole document, punctuation apart, and one BIO tag for each."""
        words: list[str] = []
        tags: list[str] = []
        for sentence, labels in zip(self.pieces, self.labels, strict=True):
            for piece, label in zip(sentence, labels, strict=True):
                if piece.startswith("##"):
                    words[-1] += piece[2:]
                else:
                    words.append(piece)
                    tags.append(label.tag)
        return words, tags

    def answer(self) -> tuple[int, int] | None:
        """First and last piece of the answer, counted in the second text; None if there is no answer there."""
        labels = [label for sentence in self.labels[self.split :] for label in sentence]
        for position, label in enumerate(labels):
            if label.answer:
                return position, position + label.answer - 1
        return None


@dataclass(frozen=True, slots=True)
class WorldPair:
    """Two sentences for pretraining. `label` 0: the second follows the first; 1: it does not (or they are swapped)."""

    first: str
    second: str
    label: int
    places: tuple[str, str]
    pieces: tuple[tuple[str, ...], tuple[str, ...]]
    labels: tuple[tuple[Label, ...], tuple[Label, ...]]


Choice = tuple[tuple[int, ...], tuple[float, ...]]  # what may be chosen, and the cumulative bounds between the choices


def bounds(probabilities: Sequence[float]) -> tuple[float, ...]:
    """Cumulative probabilities without the last, so that `bisect` never runs over the end."""
    return tuple(accumulate(probabilities))[:-1]


class Walker:
    """Walks a graph at random. One walk takes a few microseconds."""

    def __init__(self, graph: Graph) -> None:
        """Nothing is prepared before the first walk."""
        self._graph = graph
        self._states: list[tuple[tuple[str, ...], tuple[float, ...], Label, Choice]] = []

    @staticmethod
    def choice(entry: Entry) -> Choice:
        """An entry made ready for `walk`."""
        return tuple(state for state, _ in entry), bounds([p for _, p in entry])

    def walk(self, start: Choice, draw: Callable[[], float]) -> tuple[tuple[str, ...], tuple[Label, ...]]:
        """Pieces and labels of one path. `draw` gives uniform numbers in [0, 1)."""
        for state in self._graph.states[len(self._states) :]:  # the graph may have grown since the last walk
            said = tuple(piece for piece, _ in state.emission), bounds([p for _, p in state.emission])
            self._states.append((*said, state.label, self.choice(state.successors)))
        states = self._states
        pieces: list[str] = []
        labels: list[Label] = []
        targets, limits = start
        while True:
            number = targets[bisect(limits, draw())] if limits else targets[0]
            if number == END:
                return tuple(pieces), tuple(labels)
            choices, cuts, label, (targets, limits) = states[number]
            pieces.append(choices[bisect(cuts, draw())] if cuts else choices[0])
            labels.append(label)
