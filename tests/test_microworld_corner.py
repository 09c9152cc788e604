"""The corner of the world for writing: both languages say the same, and each line has one translation."""

import random
from collections import Counter

import pytest
import torch
from torch import Tensor

from bertmini.microworld import Floor, World
from bertmini.microworld.corner import CORNER, tell_lines
from bertmini.microworld.grammar import DEFAULT_GRAMMAR
from bertmini.microworld.twin import Interpreter, twin_piece

WORLD = World(CORNER)
TOLD = tell_lines(WORLD, 2_000, 0)


def batch_of(lines: list[list[str]], pieces: list[str]) -> dict[str, Tensor]:
    """Lines as [CLS] ... [SEP]."""
    width = max(map(len, lines)) + 2
    ids = torch.tensor([[2, *map(pieces.index, line), 3] + [0] * (width - 2 - len(line)) for line in lines])
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


def test_a_line_and_its_translation_are_equally_probable_to_the_last_digit() -> None:
    twin = WORLD.twin()
    ours = Floor.task(WORLD, "line").likelihood(batch_of([line for line, _ in TOLD], WORLD.vocabulary()))
    theirs = Floor.task(twin, "line").likelihood(batch_of([line for _, line in TOLD], twin.vocabulary()))
    assert float(ours.min()) > 0
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)


def test_a_translation_has_the_same_pieces_and_there_is_one_only() -> None:
    found: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for line, turned in TOLD:
        assert Counter(map(twin_piece, line)) == Counter(turned)
        found.setdefault(tuple(line), set()).add(tuple(turned))
    assert {len(translations) for translations in found.values()} == {1}
    assert len({line for lines in found.values() for line in lines}) == len(found)


def test_an_interpreter_knows_the_whole_world() -> None:
    world = World(DEFAULT_GRAMMAR)
    twin, floor = world.twin(), Floor.task(world.twin(), "report")
    interpreter, draw = Interpreter(world.graph), random.Random(0)
    for derivation in world.derivations("report")[:20]:
        told = [interpreter.say(sentence, draw)[1] for sentence in derivation.sentences]
        lines = [[piece for sentence in told for piece in sentence]]
        assert float(floor.likelihood(batch_of(lines, twin.vocabulary()))) > 0


def test_likelihood_is_exact_and_zero_where_the_world_cannot_say_it() -> None:
    floor, pieces = Floor.task(WORLD, "line"), WORLD.vocabulary()
    line = "bruno and his goat drank the old milk at dawn .".split()  # noqa: SIM905
    wrong = [[*line[:4], "fed", *line[5:]], [*line[:2], "her", *line[3:]], line[:-1], line * 3, []]
    found = floor.likelihood(batch_of([line, *wrong], pieces))
    exact = 0.5 * 0.5 * (6 / 11) * (6 / 11) * 0.25 * 0.5 * 0.3 * 0.5
    assert float(found[0]) == pytest.approx(exact, rel=1e-12)
    assert found[1:].tolist() == [0, 0, 0, 0, 0]


def test_the_samples_of_a_world_and_the_interpreter_are_alike() -> None:
    floor, pieces = Floor.task(WORLD, "line"), WORLD.vocabulary()
    costs = -floor.likelihood(batch_of([line for line, _ in TOLD], pieces)).log()
    sampled = WORLD.sample(2_000, generator=torch.Generator().manual_seed(0), kind="line")
    others = -floor.likelihood(batch_of([list(document.pieces[0]) for document in sampled], pieces)).log()
    error = (costs.var() / 2_000 + others.var() / 2_000).sqrt()
    assert abs(float(costs.mean() - others.mean())) < 4 * float(error)
