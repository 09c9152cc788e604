"""One token's attention as rows of a picture: in several readings, or taken apart into products of query and key.

Taught in chapter 13.
"""

from collections.abc import Sequence
from itertools import groupby

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bertmini.inside.weights import Weights
from bertmini.viz.maps import FAINT, LEAST, draw_map, print_weight
from bertmini.viz.style import STYLE, Picture

Row = tuple[str, Sequence[str], int, Weights, str]  # name, tokens, the one that asks, what it takes from each, a note


def attention_rows(rows: Sequence[Row], *, title: str = "") -> Picture:
    """What one token takes from each in several readings, a row for each: at training steps, or in several texts.

    Neighbouring rows of the same tokens share their names; a row's note stands at its end. Raises `ValueError` for no
    rows.
    """
    if not rows:
        raise ValueError("there are no rows: expected one or more of (name, tokens, place, weights, note)")
    blocks = [list(block) for _, block in groupby(rows, key=lambda row: (list(row[1]), row[2]))]
    widest = max(len(tokens) for _, tokens, *_ in rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(0.36 * widest + 2.4, 0.3 * len(rows) + 0.85 * len(blocks) + 0.3), layout="compressed")
        stacked = figure.subplots(len(blocks), squeeze=False, height_ratios=[len(block) for block in blocks])[:, 0]
        for axes, block in zip(stacked, blocks, strict=True):
            matrix = np.stack([weights for *_, weights, _ in block])
            _, tokens, place, *_ = block[0]
            draw_map(axes, matrix, extent=(-0.5, len(tokens) - 0.5, len(block) - 0.5, -0.5))
            names = [f"({token})" if at == place else token for at, token in enumerate(tokens)]
            axes.set_xticks(range(len(tokens)), names, rotation=60, ha="left", rotation_mode="anchor")
            axes.set_yticks(range(len(block)), [name for name, *_ in block])
            axes.xaxis.tick_top()
            axes.tick_params(length=0)
            for row, column in zip(*np.nonzero(matrix >= LEAST), strict=True):
                print_weight(axes, row, column, matrix[row, column])
            for row, (*_, note) in enumerate(block):
                axes.text(len(tokens) - 0.3, row, note, va="center", size=8.5)
        figure.suptitle(title, x=0.01, ha="left", size=10.5)
    told = "; ".join(
        f"{f'{name}: ' if name else ''}{tokens[place]} attends to {_strongest_of(weights, tokens)}"
        f"{f' ({note})' if note else ''}"
        for name, tokens, place, weights, note in rows
    )
    return Picture(figure, f"{f'{title}. ' if title else ''}Heat map, a row for each reading. {told}.")


def _strongest_of(weights: Weights, tokens: Sequence[str]) -> str:
    """The three tokens that get most, with their weights."""
    order = [int(i) for i in np.argsort(-weights, kind="stable")[:3] if weights[i] >= FAINT]
    return ", ".join(f"{tokens[i]} {weights[i]:.2f}" for i in order) or f"no token by {FAINT} or more"


def product_map(
    query: NDArray[np.float64], keys: NDArray[np.float64], tokens: Sequence[str], place: int, *, title: str = ""
) -> Picture:
    """The products under one token's weights: a row for each token, a column for each of D dimensions, and their sum.

    `query` is (D,), `keys` (S, D); the sum over the root of D is the score, and its softmax the weight beside it.
    """
    products = query * keys  # (S, D)
    scores = products.sum(1) / np.sqrt(len(query))
    weights = np.exp(scores - scores.max())
    weights = weights / weights.sum()
    most = float(np.abs(products).max()) or 1.0
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(0.2 * len(query) + 3.4, 0.24 * len(tokens) + 1.1), layout="compressed")
        axes = figure.add_subplot()
        axes.grid(visible=False)
        image = axes.imshow(products, cmap="PuOr", vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
        axes.set_yticks(range(len(tokens)), [f"({token})" if at == place else token for at, token in enumerate(tokens)])
        axes.set_xticks([0, len(query) - 1])
        axes.set(xlabel=f"dimension of the query of {tokens[place]} and of each key", title=title)
        axes.tick_params(length=0)
        for row, (score, weight) in enumerate(zip(scores, weights, strict=True)):
            axes.text(len(query) - 0.3, row, f"{score:6.2f}   {weight:.2f}", va="center", size=8.5)
        axes.text(len(query) - 0.3, -0.8, "score weight", va="bottom", size=8.5)
        figure.colorbar(image, label="query times key", location="left", shrink=0.7)
    start = f"{title}. " if title else ""
    best = int(scores.argmax())
    return Picture(
        figure,
        f"{start}Heat map of query times key for {tokens[place]}, a row for each token, a column for each of "
        f"{len(query)} dimensions. Largest score: {tokens[best]} {scores[best]:.2f}, which gives the weights "
        f"{_strongest_of(weights, tokens)}.",
    )
