"""What the explorer's page is given: every number as Python prints it."""

import json

import numpy as np
from test_viz_interactive_explorer import TOKENS, attention

from bertmini.inside.ablation import Ablation, Guesses
from bertmini.inside.patterns import head_patterns
from bertmini.inside.reading import Reading
from bertmini.inside.rollout import rollout
from bertmini.inside.search import Firing, Found
from bertmini.viz.interactive.packing import ALPHABET, Packer, as_letters, make_side


def test_a_weight_is_a_character_and_its_hundredths_are_those_that_python_prints() -> None:
    weights = np.concatenate([np.random.default_rng(0).random(5000), np.linspace(0, 1, 801), [0.005, 0.015, 0.125]])
    text = as_letters(weights)
    assert [f"{ALPHABET.index(letter) / 100:.2f}" for letter in text] == [f"{weight:.2f}" for weight in weights]


def test_no_letter_has_to_be_escaped() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) >= 101
    assert json.dumps(ALPHABET, ensure_ascii=False) == '["' + '", "'.join(ALPHABET) + '"]'
    assert not set("<&\"'") & set(ALPHABET)
    assert not any(letter.isdigit() for letter in ALPHABET)
    assert len("".join(ALPHABET[:63]).encode()) == 63  # all but large weights take one byte


def test_a_step_has_heads_means_rollouts_and_facts() -> None:
    weights = attention(2, 3, 5)
    weights[1, 2] = np.eye(5)[[1, 2, 3, 4, 4]]
    ((step, text, facts, guesses, found),) = Packer().side(make_side("x", (weights, TOKENS)), 1)["steps"]
    assert (step, guesses, found) == (0, [], None)
    assert text == as_letters(weights) + as_letters(weights.mean(1)) + as_letters(rollout(weights, TOKENS))
    assert [fact[0] for fact in facts] == [one.words for layer in head_patterns(weights, TOKENS) for one in layer]
    # next token always, but for the last; the delimiter by rows 3 and 4
    assert facts[5] == ["next token 100 %", "next 100 %", 0, 100, 20, 40, 0, 0.0, 0.8]


def test_guesses_are_packed_as_numbers_of_words_at_their_step() -> None:
    whole = Guesses(["otter", "heron"], [0.75, 0.125], 0.75)
    cut = Guesses(["heron", "gecko"], [0.5, 0.25], 0.2)
    later = Ablation(2, whole, [[whole, cut]])
    readings = [Reading(attention(1, 2, 5), TOKENS), Reading(attention(1, 2, 5), TOKENS, None, [later])]
    packer = Packer()
    steps = packer.side(make_side("x", list(zip((0, 10), readings, strict=True))), 1)["steps"]
    assert list(packer.words) == ["otter", "heron", "gecko"]
    assert [guesses for _, _, _, guesses, _ in steps] == [
        [],
        [[2, [0, 750, 1, 125], [[750, 0, 750, 1, 125], [200, 1, 500, 2, 250]]]],
    ]


def test_what_was_found_is_packed_once() -> None:
    row = np.array([0.25, 0.75])
    pattern = head_patterns(attention(1, 1, 5), TOKENS)[0][0]
    found = Found([["a", "b"]], [[[Firing(0, 0, 1, 0.75, row)]]], [[pattern]])
    packer = Packer()
    sides = [packer.side(make_side("x", Reading(attention(1, 1, 5), TOKENS, None, (), found)), 1) for _ in range(2)]
    assert [side["steps"][0][4] for side in sides] == [0, 0]
    assert packer.found == [{"texts": [["a", "b"]], "heads": [[pattern.words, [[0, 0, 1, as_letters(row)]]]]}]
