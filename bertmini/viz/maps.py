"""Attention as still pictures: one head as a heat map, all heads as a grid, one token's attention as lines.

A row is the token that asks, a column a token it takes from; a row sums to 1. All pictures have one scale, 0 to 1.
What a head mostly looks at is said in a word, see `patterns`.

Attention shows where a token took from, which is not yet why the model answered as it did (chapter 14).

Taught in chapters 03 and 13.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from bertmini.inside.patterns import PHRASES, head_pattern, percent
from bertmini.inside.weights import Weights, check_attention, check_head
from bertmini.viz.style import GRID, HEAT, INK, MEANINGS, STYLE, Picture, plain

PRINTED = 12  # up to so many tokens the numbers stand in the cells ...
LEAST = 0.10  # ... from here on
WHITE_INK = 0.70  # from here on the cell is dark
FAINT = 0.05  # a line of less is left out
LINE, PALE = MEANINGS["model"][0], MEANINGS["chance"][0]
MOST_LINES = 16  # tokens that lines may come from and go to
MOST_HEADS = 12


def attention_map(weights: Any, tokens: Sequence[str], *, title: str = "") -> Picture:
    """One head, `weights` (S, S): who takes how much from whom.

    Raises `ValueError` if the weights are not one head's attention between these tokens, and says what they are.
    """
    matrix = check_head(weights, tokens)
    count = len(tokens)
    size = max(2.6, 0.26 * count)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(size + 1.7, size + 0.9), layout="compressed")
        axes = figure.add_subplot()
        image = _draw_map(axes, matrix, extent=(-0.5, count - 0.5, count - 0.5, -0.5))
        axes.hlines(np.arange(count - 1) + 0.5, -0.5, count - 0.5, color=GRID, linewidth=0.5)
        axes.vlines(np.arange(count - 1) + 0.5, -0.5, count - 0.5, color=GRID, linewidth=0.5)
        names = [plain(token) for token in tokens]
        axes.set_xticks(range(count), names, rotation=60, ha="left", rotation_mode="anchor")
        axes.set_yticks(range(count), names)
        axes.set(xlabel="attends to", ylabel="token", title=plain(title))
        axes.xaxis.set_label_position("top")
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        if count <= PRINTED:
            for row, column in zip(*np.nonzero(matrix >= LEAST), strict=True):
                _print(axes, row, column, matrix[row, column])
        figure.colorbar(image, label="attention weight", shrink=0.8)
    return Picture(
        figure, f"{f'{title}. ' if title else ''}Heat map of attention. {describe_attention(matrix, tokens)}"
    )


def head_grid(
    attentions: Any,
    tokens: Sequence[str],
    *,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    title: str = "",
) -> Picture:
    """All heads, `attentions` (layers, heads, S, S): layers down, heads across, under each what it mostly does.

    `layers` and `heads` name those to be shown, if not all. Raises `ValueError` as `attention_map` does, and for more
    than 12 heads, which no page shows in readable size.
    """
    whole = check_attention(attentions, tokens)
    layers, heads = layers or range(whole.shape[0]), heads or range(whole.shape[1])
    if len(heads) > MOST_HEADS:
        raise ValueError(
            f"{len(heads)} heads side by side are too many: expected {MOST_HEADS} at most; pass heads=range(12)"
        )
    stack = whole[list(layers)][:, list(heads)]
    words = [[head_word(head, tokens) for head in layer] for layer in stack]
    with matplotlib.rc_context(STYLE):
        figure = _draw_grid(stack, words, layers, heads, title)
    described = "; ".join(f"layer {layer}: {', '.join(row)}" for layer, row in zip(layers, words, strict=True))
    size = f"{len(layers)} layer{'s' * (len(layers) > 1)} by {len(heads)} head{'s' * (len(heads) > 1)}"
    start = f"{f'{title}. ' if title else ''}Grid of {size} of attention between "
    return Picture(
        figure,
        f"{start}{len(tokens)} tokens: {' '.join(tokens)}. Each head mostly looks at: {described}. "
        f"{_describe_grid(stack, tokens, layers, heads)}",
    )


def _draw_grid(
    stack: Weights, words: list[list[str]], layers: Sequence[int], heads: Sequence[int], title: str
) -> Figure:
    """A tile per head with its word under it, and one colour bar."""
    rows, columns = stack.shape[:2]
    many = columns > 7  # then the tiles are smaller and the words shorter
    tile = 0.52 if many else 1.0  # inches, with the gap
    down = 1 + 0.2 / tile
    figure = Figure(figsize=(tile * columns + 1.9, (tile + 0.2) * rows + 0.8), layout="compressed")
    axes = figure.add_subplot()
    for row in range(rows):
        for column in range(columns):
            top = row * down
            image = _draw_map(axes, stack[row, column], extent=(column, column + 0.88, top + 0.88, top))
            word = words[row][column].split()[0].replace("previous", "prev") if many else words[row][column]
            axes.text(column + 0.44, top + 0.92, word, size=8.5, ha="center", va="top")
    axes.set(xlim=(-0.05, columns - 0.07), ylim=(rows * down, -0.05), title=plain(title), aspect="equal")
    axes.set_xticks(np.arange(columns) + 0.44, [str(head) for head in heads])
    axes.set(xlabel="head", ylabel="layer")
    axes.xaxis.set_label_position("top")
    axes.set_yticks(np.arange(rows) * down + 0.44, [str(layer) for layer in layers])
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, label="attention weight", shrink=min(1, 2 / rows), aspect=14)
    return figure


def _describe_grid(stack: Weights, tokens: Sequence[str], layers: Sequence[int], heads: Sequence[int]) -> str:
    """The grid's three strongest pairs, and the means of shares and entropy over its heads."""
    strongest = np.argsort(-stack, axis=None, kind="stable")[:3]
    pairs = ", ".join(
        f"{tokens[i]} to {tokens[j]} {stack[layer, head, i, j]:.2f} (layer {layers[layer]}, head {heads[head]})"
        for layer, head, i, j in zip(*np.unravel_index(strongest, stack.shape), strict=True)
    )
    found = [head_pattern(head, tokens) for layer in stack for head in layer]
    means = {name: float(np.mean([pattern.shares[name] for pattern in found])) for name in PHRASES}
    breadth = percent(float(np.mean([pattern.breadth for pattern in found])))
    return f"Strongest: {pairs}. Mean shares: {_listed(means)}. Mean entropy {breadth} of the largest possible."


def attention_lines(weights: Any, tokens: Sequence[str], focus: int, *, title: str = "") -> Picture:
    """What token number `focus` takes from each, `weights` (S, S): the width of a line and a number say how much.

    Raises `ValueError` as `attention_map` does, for more than 16 tokens, and for no such token.
    """
    matrix = check_head(weights, tokens)
    count = len(tokens)
    if count > MOST_LINES:
        raise ValueError(f"{count} tokens are too many for lines: expected at most {MOST_LINES}; use attention_map")
    if not 0 <= focus < count:
        raise ValueError(f"focus is {focus}: expected the place of one of the {count} tokens, 0 to {count - 1}")
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 0.27 * count + 0.8))
        axes = figure.add_subplot()
        axes.axis("off")
        axes.set(xlim=(-0.6, 1.9), ylim=(count - 0.4, -1.6), title=plain(title))
        axes.text(0, -1.1, "token", ha="right", size=8.5)
        axes.text(1, -1.1, f"attends to ({FAINT} or more)", ha="left", size=8.5)
        for i, (token, weight) in enumerate(zip(map(plain, tokens), matrix[focus], strict=True)):
            strength = "bold" if i == focus else "normal"
            axes.text(-0.03, i, token, ha="right", va="center", weight=strength, color=INK if i == focus else PALE)
            axes.text(1.03, i, token, ha="left", va="center", color=INK if weight >= FAINT else PALE)
            if weight >= FAINT:
                axes.plot(
                    [0, 1],
                    [focus, i],
                    color=LINE,
                    linewidth=9 * weight,
                    alpha=0.35 + 0.65 * weight,
                    solid_capstyle="butt",
                )
                axes.text(1.6, i, f"{weight:.2f}", ha="right", va="center", color=LINE)
    order = np.argsort(-matrix[focus], kind="stable")
    parts = ", ".join(f"{tokens[i]} {matrix[focus, i]:.2f}" for i in order if matrix[focus, i] >= FAINT)
    start = f"{f'{title}. ' if title else ''}Lines from one token of {' '.join(tokens)}: "
    return Picture(figure, f"{start}{tokens[focus]} (token {focus}) attends to {parts or 'no token above 0.05'}.")


def head_word(weights: Weights, tokens: Sequence[str]) -> str:
    """What a head mostly looks at, in short; `patterns` says how it gets its name.

    >>> head_word(np.eye(3, k=1) + np.diag([0, 0, 1]), ["a", "b", "c"])
    'next 100 %'
    """
    return head_pattern(weights, tokens).short


def describe_attention(weights: Weights, tokens: Sequence[str]) -> str:
    """The picture in words: the tokens, the three strongest pairs, the patterns, and how broad it is."""
    strongest = np.argsort(-weights, axis=None, kind="stable")[:3]
    rows, columns = np.unravel_index(strongest, weights.shape)
    pairs = ", ".join(f"{tokens[i]} to {tokens[j]} {weights[i, j]:.2f}" for i, j in zip(rows, columns, strict=True))
    pattern = head_pattern(weights, tokens)
    return (
        f"{len(tokens)} tokens: {' '.join(tokens)}. Strongest: {pairs}. Shares: {_listed(pattern.shares)}. "
        f"Entropy {percent(pattern.breadth)} of the largest possible."
    )


def _listed(shares: Mapping[str, float]) -> str:
    """Shares in words, such as "previous token 14 %, next token 34 %"."""
    return ", ".join(f"{PHRASES[name]} {percent(share)}" for name, share in shares.items())


def _print(axes: Axes, row: int, column: int, weight: float) -> None:
    """The number in its cell, as .25, in the ink that has a contrast of 4.5 : 1 or more there."""
    text = f"{weight:.2f}".removeprefix("0").replace("1.00", "1")
    axes.text(column, row, text, color="white" if weight >= WHITE_INK else "black", size=8, ha="center", va="center")


def _draw_map(axes: Axes, matrix: Weights, extent: tuple[float, float, float, float]) -> AxesImage:
    """Square cells on the one scale of all pictures, with a thin frame. The extent is left, right, bottom, top."""
    axes.grid(visible=False)
    left, right, bottom, top = extent
    axes.add_patch(
        Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=INK, linewidth=0.6, clip_on=False)
    )
    return axes.imshow(matrix, cmap=HEAT, vmin=0, vmax=1, interpolation="nearest", extent=extent)
