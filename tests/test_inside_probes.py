"""Probes on states whose answer is known."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from bertmini.inside.probes import (
    control_labels,
    description_length,
    linear_probe,
    squared_distances,
    structural_probe,
    without_directions,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_probe_is_at_its_optimum() -> None:
    states, labels = torch.randn(60, 5, generator=generator()), torch.randint(3, (60,), generator=generator(1))
    probe = linear_probe(states, labels, 3, penalty=0.01)
    # at the optimum the gradient is zero: errors times states, and the penalty times the weights
    errors = probe.logits(states.double()).softmax(1) - torch.eye(3, dtype=torch.float64)[labels]
    assert_close(errors.T @ states.double() / 60 + 0.01 * probe.weight, torch.zeros(3, 5).double(), atol=1e-5, rtol=0)
    assert_close(errors.mean(0), torch.zeros(3).double(), atol=1e-5, rtol=0)


def test_a_probe_finds_what_is_linear_and_not_an_xor() -> None:
    states = torch.randn(400, 6, generator=generator())
    linear = (states[:, 2] > 0).long()
    xor = ((states[:, 0] > 0) ^ (states[:, 1] > 0)).long()
    assert linear_probe(states[:300], linear[:300], 2).accuracy(states[300:].double(), linear[300:]) > 0.95
    assert linear_probe(states[:300], xor[:300], 2).accuracy(states[300:].double(), xor[300:]) < 0.65


def test_a_control_task_belongs_to_words() -> None:
    words = [7, 3, 7, 9, 3, 7] * 50
    labels = torch.tensor([0, 0, 0, 2, 0, 0] * 50)
    control = control_labels(words, labels, generator=generator())
    assert control.shape == labels.shape
    for word in set(words):
        assert len({int(label) for label, own in zip(control, words, strict=True) if own == word}) == 1
    many = control_labels(list(range(3_000)), torch.tensor([0, 0, 0, 1] * 750), generator=generator())
    assert abs(float((many == 1).double().mean()) - 0.25) < 0.03  # labels come as often as in the task


def test_description_length_of_noise_and_of_a_rule() -> None:
    states, noise = torch.randn(256, 4, generator=generator()), torch.randint(2, (256,), generator=generator(1))
    rule = (states[:, 0] > 0).long()
    assert description_length(states, noise, 2) > 250  # noise costs a bit each
    assert description_length(states, rule, 2) < 110
    assert description_length(states, rule, 2) > 256 / 32  # the first block costs its full bits
    constant = torch.zeros(64, dtype=torch.long)
    assert description_length(torch.zeros(64, 2), constant, 4, blocks=1) == pytest.approx(64 * 2)
    with pytest.raises(ValueError, match="at least 32 labels"):
        description_length(states[:20], rule[:20], 2)


def test_a_structural_probe_finds_a_planted_tree() -> None:
    # words of a chain: each shares one more coordinate with the root, so squared distance = steps in the tree
    sentences = []
    for number in range(20):
        steps = torch.tril(torch.ones(6, 6), -1)
        noise = torch.randn(6, 4, generator=generator(number))
        place = torch.arange(6.0)
        sentences.append((torch.cat([steps, noise], 1), (place[:, None] - place).abs()))
    found = structural_probe(sentences, 6, steps=400)
    states, wanted = sentences[0]
    assert (squared_distances(states, found) - wanted).abs().mean() < 0.15
    assert (squared_distances(states, torch.eye(10)) - wanted).abs().mean() > 3


def test_a_direction_is_gone_and_the_rest_is_there() -> None:
    states = torch.randn(300, 5, generator=generator()).double()
    labels = (states[:, 1] + states[:, 3] > 0).long()
    probe = linear_probe(states, labels, 2)
    projection = without_directions(probe.weight)
    assert_close(projection @ projection, projection)
    assert_close(probe.weight @ projection, torch.zeros(2, 5).double(), atol=1e-9, rtol=0)
    assert np.linalg.matrix_rank(projection.numpy()) == 4  # two classes, one direction
    after = linear_probe(states @ projection, labels, 2)
    assert after.accuracy(states @ projection, labels) < 0.65
