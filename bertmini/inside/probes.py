"""Probes: what can be read off a model's states, and the controls without which the answer means little.

A probe is a small classifier on states that are left as they are. High accuracy may be the probe's own work: it may
learn the words by heart. A *control task* (Hewitt and Liang 2019, "Designing and interpreting probes with control
tasks") gives every word type a label by lot; a probe that is good at that as well learns by heart, and *selectivity*
is the accuracy that remains. *Description length* (Voita and Titov 2020, "Information-theoretic probing with minimum
description length") counts the bits in which the labels could be sent to somebody who has the states: effort, too, is
counted. And what is found need not be used: *taking a direction out* (Elazar et al. 2021, "Amnesic probing") and asking
the model again says whether it is.

Shapes: N states, E hidden, K classes, S tokens of one sentence. Taught in chapter 14.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


class Probe(NamedTuple):
    """A linear classifier of states: logits = states @ weight.T + bias; (K, E) and (K,)."""

    weight: Tensor
    bias: Tensor

    def logits(self, states: Tensor) -> Tensor:
        """Scores of all classes, (N, E) to (N, K)."""
        return states @ self.weight.T + self.bias

    def accuracy(self, states: Tensor, labels: Tensor) -> float:
        """The share of states (N, E) whose best class is the label (N,)."""
        return float((self.logits(states).argmax(1) == labels).double().mean())


def linear_probe(states: Tensor, labels: Tensor, classes: int, *, penalty: float = 1e-3) -> Probe:
    """Logistic regression on states (N, E) and labels (N,), to the end, so that it has one answer and no seed.

    `penalty` times half the squared weights is added to the mean loss. Computed in float64 by L-BFGS.
    """
    states = states.detach().double()
    weight = states.new_zeros(classes, states.shape[1], requires_grad=True)
    bias = states.new_zeros(classes, requires_grad=True)
    search = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        value = F.cross_entropy(states @ weight.T + bias, labels) + penalty * weight.square().sum() / 2
        value.backward()  # type: ignore[no-untyped-call]
        return value

    search.step(loss)  # type: ignore[no-untyped-call]
    return Probe(weight.detach().to(states.dtype), bias.detach())


def control_labels(words: Sequence[int], labels: Tensor, *, generator: torch.Generator) -> Tensor:
    """A control task: each word type gets one label by lot, as often as it occurs among `labels` (N,): (N,).

    `words` (N,) name the type of each token; a type has the same label everywhere.
    """
    types, own = torch.unique(torch.tensor(list(words)), return_inverse=True)
    drawn = torch.randint(len(labels), (len(types),), generator=generator)
    control: Tensor = labels[drawn][own]
    return control


def description_length(states: Tensor, labels: Tensor, classes: int, *, blocks: int = 6) -> float:
    """Bits for sending the labels (N,), given the states, by the online code of Voita and Titov (2020, section 2.2).

    The first 1 / 2**(blocks - 1) of the labels costs log2 K each; every block after it is as long as all before, and is
    sent with a probe trained on these, its penalty 1 / their number. Shuffle first: the order matters. Raises
    `ValueError` for fewer labels than the blocks need.
    """
    count = len(labels)
    ends = [count // 2**power for power in range(blocks - 1, -1, -1)]
    if ends[0] < 1:
        raise ValueError(f"{count} labels in {blocks} blocks: expected at least {2 ** (blocks - 1)} labels")
    bits: float = ends[0] * float(np.log2(classes))
    for known, end in pairwise(ends):
        probe = linear_probe(states[:known], labels[:known], classes, penalty=1 / known)
        logits = probe.logits(states[known:end].double())
        bits += float(F.cross_entropy(logits, labels[known:end], reduction="sum")) / float(np.log(2))
    return bits


def structural_probe(
    sentences: Sequence[tuple[Tensor, Tensor]], rank: int, *, steps: int = 300, seed: int = 0
) -> Tensor:
    """A map B (rank, E) under which squared distances between states come near distances in a tree.

    `sentences` are pairs of states (S, E) and distances (S, S). The loss is the mean over sentences of the mean of
    |d - ||B (h_i - h_j)||^2| (Hewitt and Manning 2019, "A structural probe for finding syntax", section 2.1).
    """
    generator = torch.Generator().manual_seed(seed)
    width = sentences[0][0].shape[1]
    chosen = (torch.randn(rank, width, generator=generator) / width**0.5).requires_grad_()
    search = torch.optim.Adam([chosen], lr=0.02)
    for _ in range(steps):
        search.zero_grad()
        losses = [(wanted - squared_distances(states, chosen)).abs().mean() for states, wanted in sentences]
        torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
        search.step()
    found: Tensor = chosen.detach()
    return found


def squared_distances(states: Tensor, chosen: Tensor) -> Tensor:
    """||B (h_i - h_j)||^2 of all pairs: states (S, E) and B (rank, E) to (S, S)."""
    seen = states @ chosen.T
    found: Tensor = (seen[:, None] - seen[None]).square().sum(-1)
    return found


def without_directions(directions: Tensor) -> Tensor:
    """The projection (E, E) that takes some directions (K, E), such as a probe's weights, out of a state.

    States become `states @ projection`; a linear probe that looks along these directions then finds nothing.
    """
    _, sizes, rows = torch.linalg.svd(directions.double(), full_matrices=False)
    rows = rows[sizes > 1e-9 * sizes[0]]
    projection: Tensor = torch.eye(directions.shape[1], dtype=torch.float64) - rows.T @ rows
    return projection
