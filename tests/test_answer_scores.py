"""Scores of answers: worked by hand, the long way round, and thresholds beside all that could be chosen."""

import math
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmini.answer_scores import answer_scores, best_threshold, exact_match, normalize_answer, token_f1


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The Beatles", "beatles"),
        ("  U.S.\tArmy ", "us army"),
        ("a-an-the", "aanthe"),  # punctuation goes before articles
        ("an apple a day", "apple day"),
        ("theory", "theory"),
        ("£3,000", "£3000"),
        ("the", ""),
        ("«Bread»", "«bread»"),  # only ASCII punctuation, as in the script
        ("中 文", "中 文"),
    ],
)
def test_what_is_compared(text: str, normal: str) -> None:
    assert normalize_answer(text) == normal


@pytest.mark.parametrize(
    ("said", "golds", "exact", "f1"),
    [
        ("the grey seal", ["Grey seal!"], 1, 1),
        ("grey seal", ["seal"], 0, 2 / 3),
        ("seal", ["an old grey seal", "the seal"], 1, 1),
        ("old seal", ["an old grey seal", "a boat"], 0, 4 / 5),
        ("no no yes", ["no no"], 0, 4 / 5),  # a bag: each word as often as it stands there
        ("no", ["no no"], 0, 2 / 3),
        ("", ["seal"], 0, 0),
        ("seal", [], 0, 0),
        ("", [], 1, 1),
        ("the", [], 1, 1),  # nothing is left of it
        ("", ["the", "seal"], 0, 0),  # nothing is left of the first gold answer, and it counts for none
        ("", ["the"], 1, 1),
    ],
)
def test_worked_by_hand(said: str, golds: list[str], exact: float, f1: float) -> None:
    assert exact_match(said, golds) == exact
    assert token_f1(said, golds) == pytest.approx(f1)


def test_means_apart() -> None:
    said = ["the seal", "grey seal", "", "boat", ""]
    golds = [["seal"], ["seal"], ["seal"], [], []]
    assert answer_scores(said, golds) == pytest.approx((2 / 5, (1 + 2 / 3 + 1) / 5, 1 / 3, (1 + 2 / 3) / 3, 1 / 2))


def test_what_there_is_nothing_of_scores_nothing() -> None:
    assert answer_scores([""], [[]]) == (1, 1, 0, 0, 1)
    assert answer_scores(["seal"], [["seal"]]) == (1, 1, 1, 1, 0)


@pytest.mark.parametrize("said", [[], ["seal"]])
def test_other_numbers_are_refused(said: list[str]) -> None:
    with pytest.raises(ValueError, match="answers and 2 lists of gold answers"):
        answer_scores(said, [["seal"], []])


WORDS = st.lists(st.sampled_from(["the", "A", "seal", "Seal.", "boat", "of", "an", "-", "U.S."]), max_size=5).map(
    " ".join
)


def slow_words(text: str) -> list[str]:
    """The words that are compared, one character and one word at a time."""
    kept = "".join(" " if c.isspace() else c for c in text.lower() if c not in string.punctuation)
    return [word for word in kept.split() if word not in ("a", "an", "the")]


def slow_f1(said: list[str], gold: list[str]) -> float:
    """Take each word that is shared away from both; precision and recall one by one."""
    if not said or not gold:
        return float(said == gold)
    left, shared = list(gold), 0
    for word in said:
        if word in left:
            left.remove(word)
            shared += 1
    precision, recall = shared / len(said), shared / len(gold)
    return 2 * precision * recall / (precision + recall) if shared else 0.0


@given(WORDS, st.lists(WORDS, max_size=3))
def test_equal_to_the_long_way(said: str, golds: list[str]) -> None:
    kept = [words for gold in golds if (words := slow_words(gold))] or [[]]
    assert normalize_answer(said) == " ".join(slow_words(said))
    assert exact_match(said, golds) == max(float(slow_words(said) == gold) for gold in kept)
    assert token_f1(said, golds) == pytest.approx(max(slow_f1(slow_words(said), gold) for gold in kept))


def mean_f1(threshold: float, margins: list[float], said: list[str], golds: list[list[str]]) -> float:
    given = [text if margin > threshold else "" for text, margin in zip(said, margins, strict=True)]
    return answer_scores(given, golds).f1


@pytest.mark.parametrize("seed", range(40))
def test_no_threshold_is_better(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.randrange(1, 9)
    margins = [float(draw.randrange(-3, 4)) for _ in range(count)]  # with ties
    said = [draw.choice(["seal", "grey seal", "boat"]) for _ in range(count)]
    golds: list[list[str]] = [draw.choice([["seal"], ["boat"], []]) for _ in range(count)]
    found = best_threshold(margins, said, golds)
    assert math.isfinite(found)
    tried = [-10.0, *(margin + half for margin in margins for half in (-0.5, 0.5))]
    assert mean_f1(found, margins, said, golds) == pytest.approx(max(mean_f1(t, margins, said, golds) for t in tried))


def test_the_threshold_lies_midway() -> None:
    assert best_threshold([5.0, 1.0, 2.0], ["seal", "boat", "boat"], [["seal"], [], []]) == 3.5
    assert best_threshold([5.0, 1.0], ["seal", "seal"], [["seal"], ["seal"]]) == 0.0  # below all
    assert best_threshold([5.0, 1.0], ["seal", "seal"], [[], []]) == 6.0  # above all
    with pytest.raises(ValueError, match="2 margins, 1 answers"):
        best_threshold([1.0, 2.0], ["seal"], [[], []])
    with pytest.raises(ValueError, match="0 margins"):
        best_threshold([], [], [])
