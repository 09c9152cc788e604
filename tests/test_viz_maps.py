from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from test_viz_style import contrast

from bertmini.viz import attention_lines, attention_map, head_grid, head_word
from bertmini.viz.maps import describe_attention

TOKENS = ["[CLS]", "the", "cat", "sat", "[SEP]"]
ONE = np.array(
    [
        [0.90, 0.04, 0.03, 0.02, 0.01],
        [0.00, 0.25, 0.75, 0.00, 0.00],
        [0.00, 0.10, 0.20, 0.70, 0.00],
        [0.02, 0.03, 0.60, 0.15, 0.20],
        [0.00, 0.00, 0.00, 0.00, 1.00],
    ]
)


def uniform(count: int) -> NDArray[np.float64]:
    return np.full((count, count), 1 / count)


def test_rows_are_tokens_and_columns_what_they_attend_to() -> None:
    figure = attention_map(ONE, TOKENS, title="Layer 0, head 1").figure
    axes, bar = figure.axes
    assert (axes.get_ylabel(), axes.get_xlabel(), bar.get_ylabel()) == ("token", "attends to", "attention weight")
    assert [label.get_text() for label in axes.get_yticklabels()] == TOKENS
    assert [label.get_text() for label in axes.get_xticklabels()] == TOKENS
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {60.0}
    assert axes.xaxis.get_label_position() == "top"
    image = axes.images[0]
    assert np.array_equal(image.get_array(), ONE)
    assert image.get_clim() == (0, 1)
    assert list(image.get_extent()) == [-0.5, 4.5, 4.5, -0.5]  # row 0 at the top
    assert bar.get_ylim() == (0, 1)


def test_numbers_of_a_tenth_or_more_stand_in_their_cells() -> None:
    texts = {text.get_position(): text.get_text() for text in attention_map(ONE, TOKENS).figure.axes[0].texts}
    assert len(texts) == 10
    assert texts[(2, 1)] == ".75"  # column, row
    assert texts[(1, 2)] == ".10"
    assert texts[(4, 4)] == "1"
    assert len(attention_map(uniform(12), ["a"] * 12).figure.axes[0].texts) == 0
    assert len(attention_map(np.eye(13), ["a"] * 13).figure.axes[0].texts) == 0  # too many tokens for numbers


def test_the_ink_can_be_read_on_every_shade() -> None:
    for weight in np.arange(0.1, 0.9, 0.025):
        matrix = np.array([[weight, 1 - weight], [0, 1]])
        axes = attention_map(matrix, ["a", "b"]).figure.axes[0]
        text = next(text for text in axes.texts if text.get_position() == (0, 0))
        shade = axes.images[0].cmap(weight)
        assert contrast(to_hex(text.get_color()), shade[:3]) > 4.5


def test_the_grid_has_a_picture_and_a_word_per_head() -> None:
    stack = np.stack([[ONE, uniform(5), np.eye(5)], [np.eye(5)[[0, 0, 1, 2, 3]], np.eye(5)[[0, 4, 4, 0, 4]], ONE]])
    picture = head_grid(stack, TOKENS)
    axes = picture.figure.axes[0]
    assert [text.get_text() for text in axes.texts] == [
        "mixed",
        "broad",
        "same 100 %",
        "previous 100 %",
        "delimiter 100 %",
        "mixed",
    ]
    assert len(axes.images) == 6
    assert np.array_equal(axes.images[4].get_array(), stack[1, 1])
    left, _, _, top = axes.images[5].get_extent()
    assert (left, top) == (2, pytest.approx(1.2))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("head", "layer")
    assert picture.alt == (
        "Grid of 2 layers by 3 heads of attention between 5 tokens: [CLS] the cat sat [SEP]. Each head mostly looks "
        "at: layer 0: mixed, broad, same 100 %; layer 1: previous 100 %, delimiter 100 %, mixed. Strongest: "
        "[SEP] to [SEP] 1.00 (layer 0, head 0), [CLS] to [CLS] 1.00 (layer 0, head 2), the to the 1.00 (layer 0, head "
        "2). Mean shares: previous token 26 %, next token 17 %, same token 47 %, delimiters 51 %. Mean entropy 29 % of "
        "the largest possible."
    )


def test_the_grid_can_show_some() -> None:
    stack = np.stack([[ONE, uniform(5), np.eye(5)], [np.eye(5)[[0, 0, 1, 2, 3]], np.eye(5)[[0, 4, 4, 0, 4]], ONE]])
    picture = head_grid(stack, TOKENS, layers=[1], heads=[0, 2])
    axes = picture.figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["previous 100 %", "mixed"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "2"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1"]
    assert "1 layer by 2 heads" in picture.alt
    assert "[CLS] to [CLS] 1.00 (layer 1, head 0)" in picture.alt


def test_a_wide_grid_has_short_words_and_a_limit() -> None:
    stack = np.tile(np.eye(5)[[0, 0, 1, 2, 3]], (1, 12, 1, 1))
    picture = head_grid(stack, TOKENS)
    assert {text.get_text() for text in picture.figure.axes[0].texts} == {"prev"}
    assert "previous 100 %" in picture.alt
    assert picture.figure.get_figwidth() < 8.5
    with pytest.raises(ValueError, match=r"13 heads side by side are too many: expected 12 at most; pass heads"):
        head_grid(np.tile(ONE, (1, 13, 1, 1)), TOKENS)


def test_lines_carry_width_number_and_leave_out_the_faint() -> None:
    picture = attention_lines(ONE, TOKENS, 3, title="sat")
    axes = picture.figure.axes[0]
    drawn = [(list(line.get_ydata()), line.get_linewidth()) for line in axes.lines]
    assert drawn == [([3, 2], pytest.approx(5.4)), ([3, 3], pytest.approx(1.35)), ([3, 4], pytest.approx(1.8))]
    numbers = {text.get_position()[1]: text.get_text() for text in axes.texts if text.get_text()[0] == "0"}
    assert numbers == {2: "0.60", 3: "0.15", 4: "0.20"}
    assert [text.get_text() for text in axes.texts if text.get_weight() == "bold"] == ["sat"]
    assert picture.alt == (
        "sat. Lines from one token of [CLS] the cat sat [SEP]: sat (token 3) attends to cat 0.60, [SEP] 0.20, sat 0.15."
    )
    assert attention_lines(uniform(16), ["a"] * 16, 0).alt.count("0.06") == 16


def test_lines_have_limits() -> None:
    with pytest.raises(ValueError, match="21 tokens are too many for lines: expected at most 20; use attention_map"):
        attention_lines(uniform(21), ["a"] * 21, 0)
    for focus in (-1, 5):
        with pytest.raises(ValueError, match=rf"focus is {focus}: expected the place of one of the 5 tokens, 0 to 4"):
            attention_lines(ONE, TOKENS, focus)


def test_words_for_heads() -> None:
    assert head_word(uniform(9), list("abcdefghi")) == "broad"
    assert head_word(np.eye(5, k=1) + np.diag([0, 0, 0, 0, 1.0]), TOKENS) == "next 100 %"
    jumps = np.eye(9)[[3, 5, 0, 7, 1, 8, 2, 4, 6]]
    assert head_word(jumps, list("abcdefghi")) == "mixed"


def test_the_description_by_hand() -> None:
    assert attention_map(ONE, TOKENS).alt == f"Heat map of attention. {describe_attention(ONE, TOKENS)}"
    words = describe_attention(ONE, TOKENS)
    assert words.startswith(
        "5 tokens: [CLS] the cat sat [SEP]. Strongest: [SEP] to [SEP] 1.00, [CLS] to [CLS] 0.90, the to cat 0.75."
    )
    assert words.endswith(
        "Shares: previous token 18 %, next token 42 %, same token 50 %, delimiters 43 %. Entropy 36 % of the largest "
        "possible."
    )


def test_tensors_are_welcome_and_left_as_they_are() -> None:
    weights = torch.tensor(ONE, dtype=torch.bfloat16).softmax(-1).requires_grad_()
    before = weights.detach().clone()
    assert "5 tokens" in attention_map(weights, TOKENS).alt
    assert torch.equal(weights, before)


@pytest.mark.parametrize(
    ("weights", "tokens", "message"),
    [
        (ONE[None], TOKENS, r"the weights have the shape \(1, 5, 5\): expected \(S, S\), one head of one sequence"),
        (ONE[:, :4], TOKENS, r"the weights have the shape \(5, 4\)"),
        (np.zeros((0, 0)), [], r"the weights have the shape \(0, 0\): expected .*; was output_attentions=True given\?"),
        (ONE, TOKENS[:4], "4 tokens, but 5 columns: cut the padding from both"),
        (ONE * 0.9, TOKENS, r"a row sums to 0.900, not 1: call model.eval\(\)"),
        (np.where(ONE == 1, np.nan, ONE), TOKENS, "the weights are not all finite"),
    ],
)
def test_mistakes_are_named(weights: Any, tokens: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        attention_map(weights, tokens)


def test_the_grid_wants_all_layers_and_heads() -> None:
    with pytest.raises(ValueError, match=r"the weights have the shape \(5, 5\): expected \(layers, heads, S, S\)"):
        head_grid(ONE, TOKENS)
