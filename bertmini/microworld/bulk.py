"""Many walks at once: pairs for training as fast as a model can read them.

The same walk as `sampling.Walker`'s, taken by thousands of walkers in step: each has a state; one draw decides what
it says, another where it goes. The choices of all states lie in one table of cumulative probabilities, so a step is a
few array operations. Only ids come out; labels, places and text are `World.sample_pairs`' business. Left out on
purpose: labels. Taught in chapter 00.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from bertmini.microworld.compile import END, Entry
from bertmini.microworld.discourse import Negatives
from bertmini.microworld.world import World

Ids = NDArray[np.int64]


class Table:
    """Finite distributions as rows: which values, and the cumulative probabilities."""

    def __init__(self, rows: Sequence[Sequence[tuple[int, float]]]) -> None:
        """Lay (value, probability) lists of any lengths out in one array, padded with what is never drawn."""
        width = max(map(len, rows))
        self.values = np.zeros((len(rows), width), dtype=np.int64)
        self.limits = np.full((len(rows), width), np.inf)
        for number, row in enumerate(rows):
            self.values[number, : len(row)] = [value for value, _ in row]
            self.limits[number, : len(row) - 1] = np.cumsum([probability for _, probability in row])[:-1]

    def draw(self, rows: Ids, random: np.random.Generator) -> Ids:
        """Draw one value from each of `rows` (N,)."""
        column = (self.limits[rows] <= random.random(len(rows))[:, None]).sum(1)
        chosen: Ids = self.values[rows, column]
        return chosen


class BulkSampler:
    """Draws training pairs of a world as lists of ids."""

    def __init__(self, world: World, negatives: Negatives = "random") -> None:
        """Compile the pairs' distribution under a negative sampler; see `World.sample_pairs`."""
        sentences, _, self.joint = world.pair_distribution(negatives)
        entries: list[Entry] = [world.graph.text([sentence]) for sentence in sentences]
        ids = {piece: number for number, piece in enumerate(world.vocabulary())}
        self.starts = Table(entries)
        self.next = Table([state.successors for state in world.graph.states])
        self.says = Table([[(ids[piece], p) for piece, p in state.emission] for state in world.graph.states])

    def sample(self, n: int, generator: torch.Generator) -> tuple[list[list[int]], list[list[int]], list[int]]:
        """Draw `n` pairs: the ids of the first sentences, of the second, and the labels (0 = next)."""
        random = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        size = self.joint.shape[1]
        chosen = torch.multinomial(self.joint.flatten(), n, replacement=True, generator=generator).numpy()
        first = self.walk(chosen // size % size, random)
        second = self.walk(chosen % size, random)
        return first, second, (chosen // size**2).tolist()

    def walk(self, sentences: Ids, random: np.random.Generator) -> list[list[int]]:
        """Walk through sentences (N,) from their beginnings to their ends: the ids of each."""
        states = self.starts.draw(sentences, random)
        going = np.arange(len(states))
        said = [[] for _ in states]  # type: list[list[int]]
        while len(going):
            for walker, piece in zip(going.tolist(), self.says.draw(states, random).tolist(), strict=True):
                said[walker].append(piece)
            states = self.next.draw(states, random)
            going, states = going[states != END], states[states != END]
        return said
