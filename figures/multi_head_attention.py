"""Multi-head attention: each head projects all of x to its own small queries, keys and values."""

from figures.drawing import BLUE, GREEN, MUTED, NORMAL, ORANGE, PINK, SMALL, Drawing

COLOURS = (BLUE, ORANGE, GREEN, PINK)
DESCRIPTION = """
Multi-head attention with four heads, read from bottom to top. Every head receives the whole input x, of hidden size
E, and projects it with its own three matrices to queries, keys and values of the smaller size D = E / H. Each head
applies scaled dot-product attention to them, with its own weights over the positions, and gives an output of size D.
The four outputs are set side by side, which gives size E again, and one linear map mixes them into the output. No
head receives a slice of x.
"""


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(630, title="Multi-head attention", description=DESCRIPTION)
    left, step, wide = 34, 120, 108
    end = left + 3 * step + wide
    middle = (left + end) / 2

    source = d.box(left, 566, end - left, 36, "*x*:  all `E` numbers of every position", strength=0.14)
    joined = d.box(left, 154, end - left, 36)
    for number, colour in enumerate(COLOURS):
        x = left + number * step
        d.box(x, 246, wide, 266, colour=colour, strength=0.06, radius=10, edge=1)
        for place, letter in enumerate("QKV"):
            box = d.box(x + 8 + place * 32, 462, 28, 34, f"*{letter}*", colour=colour, strength=0.32)
            d.arrow((box.top[0], 460), (box.top[0], 430), width=1.4)
            d.arrow((box.bottom[0], source.y), (box.bottom[0], 498), width=1.4)
        d.text(x + wide / 2, 414, "attention", size=14)
        cells = PATTERNS[number]
        table = d.matrix(x + wide / 2 - 36, 326, cells, colour=colour, size=18)
        d.arrow(table.top, (table.top[0], 292))
        head = f"head_{{{number + 1}}}"
        d.text(x + wide / 2, 274, head, size=NORMAL, bold=True)
        d.arrow((x + wide / 2, 244), (x + wide / 2, 194))
        d.box(left + number * (end - left) / 4, 154, (end - left) / 4, 36, f"head_{{{number + 1}}}", colour=colour,
              strength=0.32, radius=0, size=14)  # fmt: skip
    out = d.box(left, 72, end - left, 36, "linear `output`:  `E → E`, mixes the heads", strength=0.14)
    d.arrow(joined.top, out.bottom)
    d.arrow(out.top, (middle, 40))
    d.text(middle, 26, "`(B, S, E)`")

    x = 530
    for y, title, note in (
        (90, "Mixed by *W*^{O}", "Without it, the heads' results\nwould stay in separate slots."),
        (172, "Side by side", "`(B, H, S, D)` becomes `(B, S, E)`,\nsince `H · D = E`."),
        (362, "One attention each", "Other weights in every head:\nthe rows of each table sum to 1."),
        (479, "Projected, not sliced", "*Q*_{i} = *x W*_{i}^{Q}, from all of *x*: `E → D`.\nSo are *K*_{i}, *V*_{i}."),
        (582, "All heads read the same", "BERT-base: `E` = 768, `H` = 12, `D` = 64"),
    ):  # fmt: skip
        d.text(x, y - (22 if "\n" in note else 13), title, anchor="start", bold=True, size=14)
        d.text(x, y + (10 if "\n" in note else 8), note, anchor="start", size=SMALL, colour=MUTED)
    return d


# previous position, next position, itself and the first, broad
PATTERNS = (
    ((1, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)),
    ((0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 1)),
    ((1, 0, 0, 0), (0.5, 0.5, 0, 0), (0.5, 0, 0.5, 0), (0.5, 0, 0, 0.5)),
    ((0.3, 0.2, 0.3, 0.2), (0.2, 0.3, 0.2, 0.3), (0.3, 0.3, 0.2, 0.2), (0.2, 0.3, 0.3, 0.2)),
)

if __name__ == "__main__":
    draw().save(__file__)
