"""Forward-backward on a state graph, for a batch of texts at once.

The idea: the graph has no cycles, so at position t only some states are possible: its layer t. A text is read twice,
from the right (what can still come) and from the left (what can have been), and the product of both is the posterior of
each state. Nothing is rescaled: 32 pieces of probability 1e-6 are far above the smallest float64.
Source: Rabiner (1989), "A Tutorial on Hidden Markov Models", section III; here sparse, and with entries instead of one
start.

Shapes: `B` texts, `T` pieces of the longest, `R` entries (roots), `L` states in a layer, `U` distinct emissions, `V`
pieces. Columns are sorted by length, longest first, so the texts that reach position t are the first `n` columns.
Left out on purpose: log space, cycles, learning the probabilities.
Taught in chapter 05.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from bertmini.microworld.compile import END, Entry, Graph, Label


class Layer(NamedTuple):
    """The states that may stand at one position, and the ways to the next layer."""

    emission: Tensor  # (L,) which emission each state has
    labels: list[Label]
    end: Tensor  # (L,) probability that the text ends after this state
    onward: Tensor  # (L, L of the next layer) sparse


def _sparse(entries: list[tuple[int, int, float]], rows: int, columns: int) -> Tensor:
    indices = torch.tensor([[row for row, _, _ in entries], [column for _, column, _ in entries]], dtype=torch.long)
    values = torch.tensor([value for _, _, value in entries], dtype=torch.float64)
    return torch.sparse_coo_tensor(indices, values, (rows, columns), check_invariants=False).coalesce()


@dataclass(frozen=True)
class Position:
    """What a reading knows about one position of the texts that are long enough to have it."""

    index: int
    texts: Tensor  # (n,) which texts
    layer: Layer
    cavity: Tensor  # (L, n) weight of each state without the piece seen here
    posterior: Tensor  # (L, n) weight with it


class Machine:
    """The part of a graph behind some entries, cut into layers."""

    def __init__(self, graph: Graph, entries: Sequence[Entry], vocabulary: Sequence[str]) -> None:
        """`entries[r]` is root r; `vocabulary[i]` is the piece with id i."""
        ids = {piece: number for number, piece in enumerate(vocabulary)}
        emissions: dict[tuple[tuple[str, float], ...], int] = {}
        live = sorted({state for entry in entries for state, _ in entry if state != END})
        places = {state: column for column, state in enumerate(live)}
        roots = [(root, places[state], p) for root, entry in enumerate(entries) for state, p in entry if state != END]
        self.roots = _sparse(roots, len(entries), len(live))  # (R, L)
        self.layers: list[Layer] = []
        while live:
            states = [graph.states[number] for number in live]
            following = sorted({state for known in states for state, _ in known.successors if state != END})
            places = {state: column for column, state in enumerate(following)}
            onward = [(row, places[s], p) for row, known in enumerate(states) for s, p in known.successors if s != END]
            emission = torch.tensor([emissions.setdefault(known.emission, len(emissions)) for known in states])
            end = torch.tensor([dict(known.successors).get(END, 0.0) for known in states], dtype=torch.float64)
            labels = [known.label for known in states]
            self.layers.append(Layer(emission, labels, end, _sparse(onward, len(live), len(following))))
            live = following
        self.emissions = torch.zeros(len(emissions), len(vocabulary), dtype=torch.float64)  # (U, V)
        for emission_pieces, row in emissions.items():
            for piece, probability in emission_pieces:
                self.emissions[row, ids[piece]] = probability

    def read(self, observed: Tensor, lengths: Tensor, table: Tensor, *, future: bool = True) -> "Reading":
        """Reads texts `observed` (B, T) of `lengths` (B,) from the right.

        `table` (U, V): how likely an emission is seen as a piece. With `future=False` nothing to the right of a
        position counts, not even that the text ends somewhere.
        """
        return Reading(self, observed, lengths, table, future=future)


class Reading:
    """Texts that a machine has read: how likely each root is to say them, and what stands at each position."""

    def __init__(self, machine: Machine, observed: Tensor, lengths: Tensor, table: Tensor, *, future: bool) -> None:
        """Runs the backward pass; see `Machine.read`."""
        self.machine = machine
        self.order = torch.argsort(lengths, descending=True, stable=True)
        observed, ordered = observed[self.order], lengths[self.order]
        if int(lengths.max()) > len(machine.layers):
            raise ValueError(
                f"a text of {int(lengths.max())} pieces cannot come from this world: its longest has "
                f"{len(machine.layers)} pieces; was the batch made with another world or kind?"
            )
        self._counts = [int((ordered > position).sum()) for position in range(int(lengths.max()))]
        self._evidence: list[Tensor] = []
        for layer, count, column in zip(machine.layers, self._counts, observed.T, strict=False):
            self._evidence.append(table[layer.emission].index_select(1, column[:count]))  # (L, n)
        self._future = self._backward() if future else [torch.ones_like(evidence) for evidence in self._evidence]
        likelihood = torch.sparse.mm(machine.roots, self._evidence[0] * self._future[0])  # (R, B)
        self.likelihood = torch.empty_like(likelihood.T)
        self.likelihood[self.order] = likelihood.T  # (B, R)

    def _backward(self) -> list[Tensor]:
        """For each position, the probability of everything to its right, given the state: (L, n)."""
        future: list[Tensor] = []
        for position in reversed(range(len(self._counts))):
            layer, count = self.machine.layers[position], self._counts[position]
            ending = layer.end[:, None].expand(-1, count - (self._counts[position + 1] if future else 0))
            if future:
                going_on = torch.sparse.mm(layer.onward, self._evidence[position + 1] * future[-1])
                future.append(torch.cat([going_on, ending], dim=1))
            else:
                future.append(ending)
        return future[::-1]

    def positions(self, weights: Tensor) -> Iterator[Position]:
        """Goes from left to right; `weights` (B, R) is how much each root counts beside what the text itself says."""
        past = torch.sparse.mm(self.machine.roots.t(), weights[self.order].T)  # (L, B)
        for position, (evidence, future) in enumerate(zip(self._evidence, self._future, strict=True)):
            layer, count = self.machine.layers[position], self._counts[position]
            without = past[:, :count] * future
            yield Position(position, self.order[:count], layer, without, without * evidence)
            if position + 1 < len(self._counts):
                past = torch.sparse.mm(layer.onward.t(), (past[:, :count] * evidence)[:, : self._counts[position + 1]])
