"""Multi-head attention: each head projects all of X to its own small queries, keys and values."""

import math

from figures.drawing import BLUE, MUTED, NORMAL, ORANGE, SMALL, Drawing
from figures.scaled_dot_product_attention import TOKENS, Table, weights

COLOURS = (BLUE, ORANGE)
STRENGTH = 10  # with which the second head asks for the next place
DESCRIPTION = """
Multi-head attention with two heads on the sentence the bank was wet, read from bottom to top. Every head receives the
whole input X, of hidden size E = 8, and projects it with its own three matrices to queries, keys and values of the
smaller size D = E / H = 4. Each head applies scaled dot-product attention to them, with its own weights: in the first
head a noun looks for its state, and bank gives 0.71 to wet; in the second head each word gives 0.98 to the word after
it, and wet, which has none, 0.25 to each. The two outputs are set side by side, which gives size E again, and one
linear map mixes them into the output. No head receives a slice of X.
"""


def next_word() -> Table:
    """The second head's weights: the next place leads all others by half of the strength, and the last has none."""
    power = math.exp(STRENGTH / 2)
    rows = [[power if column == row + 1 else 1.0 for column in range(4)] for row in range(4)]
    return [[value / sum(row) for value in row] for row in rows]


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(660, title="Multi-head attention", description=DESCRIPTION)
    left, step, wide = 34, 248, 236
    end = left + step + wide
    middle = (left + end) / 2

    source = d.box(left, 600, end - left, 36, "*X*:  all `E` = 8 numbers of every word", strength=0.14)
    joined = d.box(left, 154, end - left, 36)
    for number, (colour, says, table) in enumerate(
        zip(COLOURS, ("a noun looks for its state", "the word after"), (weights(), next_word()), strict=True)
    ):
        x = left + number * step
        d.box(x, 226, wide, 324, colour=colour, strength=0.06, radius=10, edge=1)
        for place, letter in enumerate("QKV"):
            box = d.box(x + 48 + place * 52, 500, 36, 34, f"*{letter}*", colour=colour, strength=0.32)
            d.arrow((box.top[0], 498), (box.top[0], 476), width=1.4)
            d.arrow((box.bottom[0], source.y), (box.bottom[0], 536), width=1.4)
        labels = [[f"{value:.2f}".removeprefix("0") for value in row] for row in table]
        grid = d.matrix(x + 56, 314, table, colour=colour, size=38, labels=labels)
        for row, token in enumerate(TOKENS):
            d.text(grid.x - 6, grid.y + (row + 0.5) * 38, token, size=SMALL, anchor="end")
            d.text(grid.x + (row + 0.5) * 38, grid.y - 12, token, size=SMALL)
        d.text(x + wide / 2, 272, says, size=14)
        d.text(x + wide / 2, 248, f"head_{{{number + 1}}}", size=NORMAL, bold=True)
        d.arrow((x + wide / 2, 226), (x + wide / 2, 194))
        d.box(left + number * (end - left) / 2, 154, (end - left) / 2, 36, f"head_{{{number + 1}}}: `D` = 4 numbers",
              colour=colour, strength=0.32, radius=0, size=14)  # fmt: skip
    out = d.box(left, 72, end - left, 36, "linear `output`:  `E → E`, mixes the heads", strength=0.14)
    d.arrow(joined.top, out.bottom)
    d.arrow(out.top, (middle, 40))
    d.text(middle, 26, "`(B, S, E)`")

    x = 540
    for y, title, note in (
        (90, "Mixed by *W*^{O}", "Without it, the heads' results\nwould stay in separate slots."),
        (172, "Side by side", "`(B, H, S, D)` becomes\n`(B, S, E)`, since `H · D = E`."),
        (390, "One attention each", "Other weights in every head:\nthe rows of each sum to 1."),
        (517, "Projected, not sliced",
         "*Q*_{h} = *X W*_{h}^{Q}, from all of *X*:\n`E → D`. *K*_{h} and *V*_{h} likewise."),
        (618, "All heads read the same", "BERT-base: `E` = 768,\n`H` = 12, `D` = 64"),
    ):  # fmt: skip
        d.text(x, y - 22, title, anchor="start", bold=True, size=14)
        d.text(x, y + 10, note, anchor="start", size=SMALL, colour=MUTED)
    return d


if __name__ == "__main__":
    draw().save(__file__)
