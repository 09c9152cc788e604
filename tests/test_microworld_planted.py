"""The planted rule: its exact effects against a list of every line, and against arithmetic."""

import itertools
import math

import pytest
import torch

from bertmini.microworld import split_generator
from bertmini.microworld.planted import (
    ASKED,
    OWN,
    SLOTS,
    WISHES,
    planted_batches,
    planted_cause,
    planted_effects,
    planted_lines,
    planted_optimum,
    planted_world,
    swap_words,
    undecided,
)

WORLD, TWIN = planted_world(), planted_world(twin=True)
NUMBER = {piece: i for i, piece in enumerate(WORLD.vocabulary())}
TEXT = "[CLS] ada likes tea , bruno likes milk . at noon she gets [MASK] . [SEP]"
LINE = torch.tensor([[NUMBER[piece] for piece in TEXT.split()]])
RIGHT, WRONG = OWN + (1 - OWN) / 4, (1 - OWN) / 4  # of the wish that decides, and of each other one


def test_the_answer_is_the_wish_of_the_pronoun_and_in_the_twin_the_other() -> None:
    for world, wish in ((WORLD, "tea"), (TWIN, "milk")):
        chances = planted_optimum(world)(LINE)[0]
        for drink in WISHES:
            assert float(chances[NUMBER[drink]]) == pytest.approx(RIGHT if drink == wish else WRONG)
        assert float(chances.sum()) == pytest.approx(1)


def test_as_counted_from_a_list_of_all_lines() -> None:
    """Every pair of wishes, pronoun and answer; names and times do not matter."""
    counted = dict.fromkeys(WISHES, 0.0)
    for first, second, pronoun, drawn, own in itertools.product(WISHES, WISHES, ("she", "he"), WISHES, (True, False)):
        answer = (first if pronoun == "she" else second) if own else drawn
        if (first, pronoun) == ("tea", "he"):  # the second wish is hidden
            counted[answer] += (OWN if own else 1 - OWN) / len(WISHES)
    hidden = LINE.clone()
    hidden[0, 11], hidden[0, 7] = NUMBER["he"], NUMBER["[MASK]"]
    found = planted_optimum(WORLD)(hidden)[0]
    total = sum(counted.values())
    for drink in WISHES:
        assert float(found[NUMBER[drink]]) == pytest.approx(counted[drink] / total)


def test_effects_by_arithmetic() -> None:
    effects = planted_effects(WORLD, LINE, planted_optimum(WORLD))[0]
    gap = math.log(RIGHT / WRONG)
    expected = torch.zeros(16, dtype=torch.float64)
    expected[3], expected[11] = 3 / 4 * gap, 1 / 2 * gap  # three of four wishes change the answer, one of two pronouns
    assert torch.allclose(effects, expected, atol=1e-9)
    twins = planted_effects(TWIN, LINE, planted_optimum(TWIN))[0]
    assert torch.allclose(twins[[7, 11]], expected[[3, 11]], atol=1e-9)
    assert twins[3] == pytest.approx(0, abs=1e-9)


def test_the_cause_has_the_largest_effect_and_the_decoy_none() -> None:
    for world, twin in ((WORLD, False), (TWIN, True)):
        ids = undecided(planted_lines(world, 60, generator=split_generator("test"))[0])
        assert 30 < len(ids) < 60
        effects = planted_effects(world, ids, planted_optimum(world))
        cause, decoy = planted_cause(world, ids, twin=twin)
        assert torch.equal(effects.argmax(1), cause)
        assert (effects.gather(1, decoy[:, None]).abs() < 1e-9).all()
        assert set(cause.tolist()) == {3, 7}


def test_the_two_worlds_differ_in_the_answer_alone() -> None:
    assert WORLD.vocabulary() == TWIN.vocabulary()
    (ids, answers), (theirs, others) = (planted_lines(w, 50, generator=split_generator("test")) for w in (WORLD, TWIN))
    assert ids.shape == theirs.shape == (50, 16)
    assert (ids[:, ASKED] == NUMBER["[MASK]"]).all()
    assert set(answers.tolist() + others.tolist()) <= {NUMBER[drink] for drink in WISHES}


def test_words_are_swapped_one_at_a_time() -> None:
    swapped, places = swap_words(WORLD, LINE)
    assert swapped.shape == (1, sum(map(len, SLOTS.values())), 16)
    assert ((swapped[0] != LINE).sum(1) <= 1).all()
    assert {WORLD.vocabulary()[i] for i in swapped[0][places == 11][:, 11].tolist()} == {"she", "he"}


def test_batches_hide_words_and_ask_for_the_answer() -> None:
    ids, answers = planted_lines(WORLD, 200, generator=split_generator("train"))
    stream = planted_batches(ids, answers, NUMBER["[MASK]"], generator=torch.Generator().manual_seed(0), size=400)
    batch = next(stream)
    labels = batch["labels"]
    assert (labels[:, ASKED] >= 5).all()
    assert (labels[:, torch.arange(16) != ASKED] == -100).all()
    hidden = (batch["input_ids"] == NUMBER["[MASK]"]).sum(1) - 1
    assert 0.4 < float((hidden == 0).double().mean()) < 0.65  # half of the lines, and a few by luck
    assert hidden.max() > 9
    assert (batch["input_ids"][:, [0, 15]] == torch.tensor([NUMBER["[CLS]"], NUMBER["[SEP]"]])).all()
