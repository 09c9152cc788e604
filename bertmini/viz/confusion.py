"""A confusion matrix as a picture: each row is a true class, each column what it was taken for.

A cell's shade is its share of the row, so that a rare class can be read like a common one; its number is the count.

Taught in chapter 08.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bertmini.viz.style import HEAT, STYLE, Picture, plain

Counts = NDArray[np.int64]

PRINTED = 20  # up to so many classes the counts stand in the cells
TICKED = 60  # up to so many classes each has its name at the edge
LONGEST = 22  # characters of a name
SHORT = 5  # characters that fit over a cell without being turned
WHITE_INK = 0.70  # from here on the cell is dark


def confusion_map(matrix: Any, labels: Sequence[str], *, title: str = "") -> Picture:
    """Counts (C, C), true classes down and predicted ones across.

    Raises `ValueError` for a matrix that is not square, has another size than `labels`, or counts nothing.
    """
    counts = _checked(matrix, labels)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    classes = len(labels)
    names = [plain(name if len(name) <= LONGEST else f"{name[: LONGEST - 3]}...") for name in labels]
    shown = range(0, classes, -(-classes // TICKED))
    size = min(max(2.2, 0.45 * classes), 12.0)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(size + 2.2, size + 1.0), layout="compressed")
        axes = figure.add_subplot()
        axes.grid(visible=False)
        image = axes.imshow(shares, cmap=HEAT, vmin=0, vmax=1, interpolation="nearest")
        turned: dict[str, Any] = (
            {} if max(map(len, names)) <= SHORT else {"rotation": 60, "ha": "left", "rotation_mode": "anchor"}
        )
        axes.set_xticks(shown, [names[i] for i in shown], **turned)
        axes.set_yticks(shown, [names[i] for i in shown])
        axes.set(xlabel="predicted", ylabel="true", title=plain(title))
        axes.xaxis.set_label_position("top")
        axes.xaxis.tick_top()
        axes.tick_params(length=0, labelsize=9 if classes <= PRINTED else 6)
        if classes <= PRINTED:
            for (row, column), count in np.ndenumerate(counts):
                ink = "white" if shares[row, column] >= WHITE_INK else "black"
                axes.text(column, row, f"{count:,}", color=ink, size=8.5, ha="center", va="center")
        figure.colorbar(image, label="share of the true class", shrink=0.8)
    return Picture(figure, _describe(counts, labels, title))


def _checked(matrix: Any, labels: Sequence[str]) -> Counts:
    """The matrix as an array, or what is wrong with it."""
    counts = np.asarray(matrix.cpu() if hasattr(matrix, "cpu") else matrix, dtype=np.int64)
    if counts.ndim != 2 or counts.shape != (len(labels), len(labels)):
        raise ValueError(
            f"the matrix has the shape {counts.shape}: expected a row and a column for {len(labels)} labels"
        )
    if counts.min() < 0 or not counts.any():
        raise ValueError("the matrix must hold counts, at least one above 0")
    return counts


def _describe(counts: Counts, labels: Sequence[str], title: str) -> str:
    """What a sighted reader takes from it: how many are right, and the commonest mistakes."""
    total, right = int(counts.sum()), int(np.trace(counts))
    wrong = counts * (1 - np.eye(len(labels), dtype=np.int64))
    worst = np.argsort(-wrong, axis=None, kind="stable")[:3]
    pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(worst, wrong.shape), strict=True)]
    mistakes = [f"{labels[i]} taken for {labels[j]} {wrong[i, j]:,} times" for i, j in pairs if wrong[i, j]]
    start = f"{f'{title}. ' if title else ''}Confusion matrix of {len(labels)} classes: {right:,} of {total:,} right"
    return f"{start}; {', '.join(mistakes)}." if mistakes else f"{start}."
