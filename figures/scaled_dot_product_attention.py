"""Scaled dot-product attention on three tokens and one of padding, with every number in it."""

import math
from collections.abc import Sequence

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, NORMAL, ORANGE, PINK, RED, SMALL, Box, Drawing

Table = Sequence[Sequence[float]]
TOKENS = ("the", "bank", "opens", "[PAD]")
QUERIES = ((1, 0, 0, 1), (0, 2, 1, 0), (0, 1, 2, 1), (1, 0, 1, 0))
KEYS = ((1, 1, 0, 0), (0, 2, 0, 1), (0, 1, 2, 0), (0, 0, 1, 1))
VALUES = ((0.9, 0.1, 0.2, 0.4), (0.1, 0.9, 0.3, 0.1), (0.2, 0.3, 0.9, 0.8), (0.5, 0.5, 0.5, 0.5))
ROOT = math.sqrt(len(KEYS[0]))
BIG, MEDIUM, LITTLE = 40, 34, 26
DESCRIPTION = """
Scaled dot-product attention, computed for the tokens the, bank, opens and one of padding, with d_k = 4. The queries Q
times the transposed keys K give a table of 4 by 4 scores, one row per query, one column per key. The scores are
divided by the square root of d_k, which is 2, and the column of the padding token is set to minus infinity. Softmax
makes each row a set of weights that sum to 1: the row of bank gives 0.16 to the, 0.42 to bank, 0.42 to opens and 0 to
padding. The weights times the values V give the output: each of its rows is a weighted mean of the rows of V.
"""


BANK = """The row of *bank* is
.16 of the value of *the*,
.42 of that of *bank*,
.42 of that of *opens*.
Padding adds nothing."""


def transposed(table: Table) -> Table:
    """Rows become columns."""
    return list(zip(*table, strict=True))


def times(left: Table, right: Table) -> Table:
    """The product of two matrices."""
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in transposed(right)] for row in left]


def softmax_without_padding(scores: Table) -> Table:
    """Weights from each row of scores, 0 in the last column."""
    exponentials = [[math.exp(score) for score in row[:-1]] + [0.0] for row in scores]
    return [[value / sum(row) for value in row] for row in exponentials]


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(610, title="Scaled dot-product attention, with numbers", description=DESCRIPTION)
    scores = times(QUERIES, transposed(KEYS))
    scaled = [[score / ROOT for score in row] for row in scores]
    weights = softmax_without_padding(scaled)
    d.text(400, 30, "Attention(*Q*, *K*, *V*)  =  softmax( *QK*^{T} / √*d*_{k} + mask ) *V*", size=20)

    middle = 186
    q = _table(d, 74, middle, QUERIES, LITTLE, ORANGE, most=2, name="*Q*", note="queries", rows=True)
    k = _table(d, 216, middle, transposed(KEYS), LITTLE, GREEN, most=2, name="*K*^{T}", note="keys")
    s = _table(d, 362, middle, scores, BIG, GREY, most=8, name="*QK*^{T}", note="scores", columns=True)
    m = _table(d, 620, middle, scaled, BIG, GREY, most=4, places=1, masked=True, note="scaled, masked", columns=True)
    _sign(d, q, k, "·")
    _sign(d, k, s, "=")
    d.arrow((530, middle), (612, middle))
    d.text(571, middle - 35, "÷ √*d*_{k} = 2", size=NORMAL)
    d.text(571, middle - 14, "then mask", size=14)

    middle = 482
    w = _table(d, 74, middle, weights, BIG, BLUE, places=2, note="weights", rows=True, columns=True)
    v = _table(d, 276, middle, VALUES, MEDIUM, PINK, places=1, name="*V*", note="values")
    o = _table(d, 454, middle, times(weights, VALUES), MEDIUM, RED, places=2, note="output")
    _sign(d, w, v, "·")
    _sign(d, v, o, "=")
    d.arrow((m.top[0], 300), (m.top[0], 340), (w.top[0], 340), (w.top[0], w.y - 26))
    d.text((m.top[0] + w.top[0]) / 2, 326, "softmax over each row", size=NORMAL)
    d.text(612, middle, BANK, size=14, anchor="start", colour=MUTED)
    return d


def _table(
    d: Drawing,
    x: float,
    middle: float,
    cells: Table,
    size: float,
    colour: str,
    *,
    note: str,
    name: str = "",
    most: float = 1,
    places: int = 0,
    masked: bool = False,
    rows: bool = False,
    columns: bool = False,
) -> Box:
    """A matrix with its numbers, its name above and a note below; tokens beside its rows and above its columns."""
    texts = [[f"{value:.{places}f}" if value or places < 2 else "0" for value in row] for row in cells]
    shades = [[value / most for value in row] for row in cells]
    if masked:
        texts = [[*row[:-1], "−∞"] for row in texts]
        shades = [[*row[:-1], 0.0] for row in shades]
    labels = [[text.removeprefix("0") if places == 2 and text != "0" else text for text in row] for row in texts]
    box = d.matrix(x, middle - size * len(cells) / 2, shades, colour=colour, size=size, labels=labels)
    d.text(box.top[0], box.y - (36 if columns else 20), name, size=19)
    d.text(box.bottom[0], box.y + box.height + 18, note, size=14, colour=MUTED)
    for number, token in enumerate(TOKENS):
        ink = MUTED if token == "[PAD]" else INK
        if rows:
            d.text(box.x - 8, box.y + (number + 0.5) * size, token, size=SMALL, anchor="end", colour=ink)
        if columns:
            d.text(box.x + (number + 0.5) * size, box.y - 12, token, size=SMALL, colour=ink)
    return box


def _sign(d: Drawing, before: Box, after: Box, sign: str) -> None:
    """A sign between two matrices."""
    d.text((before.right[0] + after.left[0]) / 2, before.right[1], sign, size=24, bold=True)


if __name__ == "__main__":
    draw().save(__file__)
