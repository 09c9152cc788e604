"""Heads are named as a reader with pencil and paper would name them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bertmini.inside.patterns import (
    even_shares,
    head_pattern,
    head_patterns,
    mean_distance,
    mean_entropy,
    mean_patterns,
    pattern_shares,
)

TOKENS = ["[CLS]", "the", "cat", "[SEP]"]
# Worked by hand below: rows take from columns.
HEAD = np.array([[0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.75, 0.25, 0.0], [0.0, 0.0, 0.5, 0.5]])


def even(count: int) -> NDArray[np.float64]:
    return np.full((count, count), 1 / count)


def test_shares_by_hand() -> None:
    assert pattern_shares(HEAD, TOKENS) == pytest.approx(
        {
            "previous": (1.0 + 0.75 + 0.5) / 3,  # three tokens have one before them
            "next": 0.5 / 3,
            "same": (0.5 + 0.0 + 0.25 + 0.5) / 4,
            "delimiter": (0.5 + 1.0 + 0.0 + 0.5) / 4,  # columns 0 and 3
        }
    )


def test_entropy_and_distance_by_hand() -> None:
    quarter = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert mean_entropy(HEAD) == pytest.approx((math.log(2) + 0 + quarter + math.log(2)) / 4)
    assert mean_distance(HEAD) == pytest.approx((0.5 + 1.0 + 0.75 + 0.5) / 4)
    assert math.copysign(1, mean_entropy(np.eye(3))) == 1  # nought, not minus nought


def test_a_head_by_hand() -> None:
    pattern = head_pattern(HEAD, TOKENS)
    assert (pattern.name, pattern.share) == ("previous", pytest.approx(0.75))  # needs (1 + 1/4) / 2 = 0.625
    assert pattern.words == "previous token 75 %"
    assert pattern.short == "previous 75 %"
    assert pattern.entropy == pytest.approx(mean_entropy(HEAD))
    assert pattern.breadth == pytest.approx(mean_entropy(HEAD) / math.log(4))
    assert pattern.distance == pytest.approx(0.6875)


def test_what_even_attention_gives() -> None:
    assert even_shares(TOKENS) == pytest.approx({"previous": 0.25, "next": 0.25, "same": 0.25, "delimiter": 0.5})
    assert even_shares(["a"]) == {"previous": 0, "next": 0, "same": 1, "delimiter": 0}


EIGHT = ["[CLS]", "a", "b", "c", "[SEP]", "d", "e", "[SEP]"]
JUMPS = np.eye(8)[[2, 3, 5, 6, 1, 3, 1, 2]]
NAMED = {
    "previous": (np.eye(8)[[0, 0, 1, 2, 3, 4, 5, 6]], "previous token 100 %", "previous 100 %"),
    "next": (np.eye(8)[[1, 2, 3, 4, 5, 6, 7, 7]], "next token 100 %", "next 100 %"),
    "same": (np.eye(8) * 0.8 + 0.025, "same token 82 %", "same 82 %"),
    "delimiter": (np.eye(8)[[4, 4, 4, 4, 7, 7, 7, 0]], "delimiters 100 %", "delimiter 100 %"),
    "broad": (even(8), "broad, 100 % of the largest entropy", "broad"),
    "mixed": (JUMPS, "mixed, none of the four places", "mixed"),  # the largest of noughts is nothing
}


@pytest.mark.parametrize("name", NAMED)
def test_every_name(name: str) -> None:
    weights, words, short = NAMED[name]
    pattern = head_pattern(weights, EIGHT)
    assert (pattern.name, pattern.words, pattern.short) == (name, words, short)


def test_even_attention_to_a_short_text_is_not_called_delimiter() -> None:
    tokens = ["[CLS]", "hello", "[SEP]"]
    assert pattern_shares(even(3), tokens)["delimiter"] == pytest.approx(2 / 3)
    assert head_pattern(even(3), tokens).name == "broad"
    nearly = even(3) * 0.5 + np.array([0.5, 0, 0])  # 0.83, half way from 2/3 to 1
    assert head_pattern(nearly, tokens).name == "delimiter"


def test_one_token_has_only_itself() -> None:
    pattern = head_pattern(np.ones((1, 1)), ["hello"])
    assert (pattern.words, pattern.entropy, pattern.distance) == ("same token 100 %", 0, 0)


def test_all_heads_by_layer_and_head() -> None:
    stack = np.stack([[even(8), NAMED["next"][0], JUMPS], [NAMED["same"][0], JUMPS, NAMED["previous"][0]]])
    names = [[pattern.name for pattern in layer] for layer in head_patterns(stack, EIGHT)]
    assert names == [["broad", "next", "mixed"], ["same", "mixed", "previous"]]
    as_returned = tuple(torch.tensor(layer)[None] for layer in stack)
    assert head_patterns(as_returned, EIGHT) == head_patterns(stack, EIGHT)
    with pytest.raises(ValueError, match="7 tokens, but 8 columns"):
        head_patterns(stack, EIGHT[:7])


def test_means_over_texts_by_hand() -> None:
    short = np.array([[[[0.0, 1.0], [1.0, 0.0]]]])
    ((pattern,),) = mean_patterns([(HEAD[None, None], TOKENS, None), (short, ["[CLS]", "a"], None)])
    assert pattern.shares == pytest.approx(
        {"previous": (0.75 + 1) / 2, "next": (0.5 / 3 + 1) / 2, "same": 0.3125 / 2, "delimiter": (0.5 + 0.5) / 2}
    )
    assert pattern.distance == pytest.approx((0.6875 + 1) / 2)
    assert pattern.breadth == pytest.approx((mean_entropy(HEAD) / math.log(4) + 0) / 2)
    # previous needs half way from (1/4 + 1/2) / 2 to 1, which is 0.6875
    assert (pattern.name, pattern.share) == ("previous", pytest.approx(0.875))
    with pytest.raises(ValueError, match="there is no text to take a mean over"):
        mean_patterns([])


@given(st.integers(1, 9), st.integers(0, 1000), st.floats(0.1, 20))
def test_numbers_stay_within_their_limits(count: int, seed: int, sharpness: float) -> None:
    scores = np.exp(sharpness * np.random.default_rng(seed).normal(size=(count, count)))
    pattern = head_pattern(scores / scores.sum(-1, keepdims=True), [*"abcdefgh", "[SEP]"][-count:])
    assert all(0 <= share <= 1 + 1e-9 for share in [*pattern.shares.values(), pattern.breadth, pattern.share])
    assert 0 <= pattern.distance <= count - 1
    assert pattern.name in NAMED
