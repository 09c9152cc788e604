"""Scaled dot-product attention in *the bank was wet*, with every number in it."""

import math
from collections.abc import Sequence

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, NORMAL, ORANGE, PINK, RED, SMALL, Box, Drawing

Table = Sequence[Sequence[float]]
TOKENS = ("the", "bank", "was", "wet")
# noun, state, river, office
VECTORS = ((0, 0, 0.1, 0.1), (1, 0, 0.5, 0.5), (0, 0.2, 0.2, 0.1), (0, 1, 1, 0))
QUERIES = tuple((4 * noun, 2 * state, river, office) for noun, state, river, office in VECTORS)
KEYS = tuple((state, noun, river, office) for noun, state, river, office in VECTORS)
VALUES = tuple((river, office) for _, _, river, office in VECTORS)
ROOT = math.sqrt(len(KEYS[0]))
BIG, MEDIUM, LITTLE = 42, 40, 36
DESCRIPTION = """
Scaled dot-product attention, computed for the sentence the bank was wet, with d_k = 4. The queries Q times the
transposed keys K give a table of 4 by 4 scores, one row per word that asks, one column per word that is asked; bank
asks wet with 4.5 and wet asks bank with 2.5. The scores are divided by the square root of d_k, which is 2. Softmax
makes each row a set of weights that sum to 1: the row of bank gives 0.08 to the, 0.10 to bank, 0.12 to was and 0.71 to
wet. The weights times the values V, which hold river and office, give the output: bank becomes river 0.79, office 0.07.
"""


BANK = """The row of *bank* is
.08 of the value of *the*,
.10 of that of *bank*,
.12 of that of *was*,
.71 of that of *wet*."""


def transposed(table: Table) -> Table:
    """Rows become columns."""
    return list(zip(*table, strict=True))


def times(left: Table, right: Table) -> Table:
    """The product of two matrices."""
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in transposed(right)] for row in left]


def scores() -> Table:
    """How well each key fits each query."""
    return times(QUERIES, transposed(KEYS))


def weights() -> Table:
    """Softmax of each row of the scores, divided by the root."""
    powers = [[math.exp(score / ROOT) for score in row] for row in scores()]
    return [[power / sum(row) for power in row] for row in powers]


def mixed() -> Table:
    """The output: weighted means of the values."""
    return times(weights(), VALUES)


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(620, title="Scaled dot-product attention, with numbers", description=DESCRIPTION)
    scaled = [[score / ROOT for score in row] for row in scores()]
    d.text(400, 30, "Attention(*Q*, *K*, *V*)  =  softmax( *QK*^{T} / √*d*_{k} ) *V*", size=20)

    middle = 186
    q = _table(d, 56, middle, QUERIES, LITTLE, ORANGE, most=4, name="*Q*", note="queries", rows=True)
    k = _table(d, 226, middle, transposed(KEYS), LITTLE, GREEN, most=1, name="*K*^{T}", note="keys", columns=True)
    s = _table(d, 396, middle, scores(), BIG, GREY, most=5, places=2, name="*QK*^{T}", note="scores", columns=True)
    m = _table(d, 620, middle, scaled, BIG, GREY, most=5, places=2, note="scaled scores", columns=True)
    _sign(d, q, k, "·")
    _sign(d, k, s, "=")
    d.arrow((568, middle), (614, middle))
    d.text(590, middle - 17, "÷ √4", size=NORMAL)

    middle = 490
    w = _table(d, 74, middle, weights(), BIG, BLUE, places=2, note="weights", rows=True, columns=True)
    v = _table(d, 290, middle, VALUES, MEDIUM, PINK, name="*V*", note="river, office")
    o = _table(d, 412, middle, mixed(), MEDIUM, RED, places=2, note="output")
    _sign(d, w, v, "·")
    _sign(d, v, o, "=")
    d.arrow((m.top[0], 300), (m.top[0], 346), (w.top[0], 346), (w.top[0], w.y - 26))
    d.text((m.top[0] + w.top[0]) / 2, 332, "softmax over each row", size=NORMAL)
    d.text(540, middle, BANK, size=14, anchor="start", colour=MUTED)
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
    places: int | None = None,
    rows: bool = False,
    columns: bool = False,
) -> Box:
    """A matrix with its numbers, its name above and a note below; tokens beside its rows and above its columns."""
    texts = [[f"{value:g}" if places is None else f"{value:.{places}f}" for value in row] for row in cells]
    shades = [[value / most for value in row] for row in cells]
    labels = [[text.removeprefix("0") or "0" for text in row] for row in texts]
    box = d.matrix(x, middle - size * len(cells) / 2, shades, colour=colour, size=size, labels=labels)
    d.text(box.top[0], box.y - (36 if columns else 20), name, size=19)
    d.text(box.bottom[0], box.y + box.height + 18, note, size=14, colour=MUTED)
    for number, token in enumerate(TOKENS):
        if rows:
            d.text(box.x - 8, box.y + (number + 0.5) * size, token, size=SMALL, anchor="end", colour=INK)
        if columns:
            d.text(box.x + (number + 0.5) * size, box.y - 12, token, size=SMALL, colour=INK)
    return box


def _sign(d: Drawing, before: Box, after: Box, sign: str) -> None:
    """A sign between two matrices."""
    d.text((before.right[0] + after.left[0]) / 2, before.right[1], sign, size=24, bold=True)


if __name__ == "__main__":
    draw().save(__file__)
