"""The road from text to word pieces: one line is cleaned and folded, split, and matched, longest piece first."""

from figures.drawing import BLUE, GREY, INK, MUTED, ORANGE, SMALL, Drawing

# word: its pieces, the width of its column
COLUMNS = (
    ("unbelievable", ("unb", "##el", "##ie", "##v", "##able"), 104),
    ("!", ("!",), 30),
    ("the", ("the",), 44),
    ("donaudampfschiff", ("don", "##aud", "##amp", "##f", "##s", "##ch", "##iff"), 136),
    ("left", ("left",), 48),
    ("北", ("[UNK]",), 54),
    ("京", ("[UNK]",), 54),
    ("in", ("in",), 34),
    ("1977", ("[UNK]",), 54),
    ("🙂", ("[UNK]",), 54),
)
# Drawn stroke by stroke: not every system has letters for them.
STROKES = {
    "北": "M.38 .08V.92M.12 .36H.38M.06 .8L.38 .66M.62 .08V.8Q.62 .9 .72 .9H.84Q.94 .9 .94 .74M.9 .26L.62 .46",
    "京": "M.5 0V.16M.06 .2H.94M.26 .34H.74V.56H.26ZM.5 .56V.94L.4 .9M.3 .66L.12 .88M.7 .66L.88 .88",
    "🙂": "M.5 .04A.46 .46 0 1 1 .499 .04ZM.34 .32V.44M.66 .32V.44M.26 .6Q.5 .88 .74 .6",
}
DESCRIPTION = """
The line "Unbelievable! The Donaudampfschiff left 北京 in 1977 🙂" on its way from the top to the bottom. First it is
cleaned and folded: small letters, a space on both sides of each Chinese character. Then it is split into ten words and
symbols. Then each word is cut into pieces, from the left, always the longest piece that the vocabulary has:
unbelievable becomes unb, ##el, ##ie, ##v, ##able; donaudampfschiff becomes don, ##aud, ##amp, ##f, ##s, ##ch, ##iff;
"!", "the", "left" and "in" are pieces themselves; the two Chinese characters, 1977 and the emoji become [UNK].
"""
LEFT, GAP, TALL = 20, 16.4, 30


def sign(d: Drawing, name: str, x: float, y: float, size: float = 16) -> None:
    """One of the signs in `STROKES`, with its middle at x, y."""
    move = f"translate({x - size / 2:.1f} {y - size / 2:.1f}) scale({size:g})"
    d.parts.append(
        f'<path transform="{move}" d="{STROKES[name]}" fill="none" stroke="{INK}" stroke-width="{1.4 / size:.3f}"/>'
    )


def line(d: Drawing, y: float, before: str, *, apart: float) -> None:
    """The whole line, its Chinese characters so far apart."""
    d.box(LEFT, y - TALL / 2, 760, TALL, strength=0.03)
    d.text(480, y, before, anchor="end")
    x = 482.0
    for name in ("北", "京"):
        x += apart / 2 + 10
        sign(d, name, x, y)
        x += apart / 2 + 8
    d.text(x + 6, y, "in 1977", anchor="start")
    sign(d, "🙂", x + 76, y)


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(512, title="From text to word pieces", description=DESCRIPTION)
    for y, name, note in (
        (20, "The text", "a string of characters"),
        (106, "Cleaned and folded", "small letters, no accents, Chinese characters set apart"),
        (192, "Split", "at spaces and around punctuation: ten words and symbols"),
        (278, "Pieces", "from the left, always the longest that the vocabulary has"),
    ):
        d.text(LEFT, y, name, anchor="start", bold=True)
        d.text(LEFT + 178, y, note, anchor="start", size=SMALL, colour=MUTED)
    line(d, 51, "Unbelievable! The Donaudampfschiff left", apart=0)
    line(d, 137, "unbelievable! the donaudampfschiff left", apart=12)
    for y in (66, 152):
        d.arrow((400, y), (400, y + 30))
    x = float(LEFT)
    for word, pieces, width in COLUMNS:
        middle = x + width / 2
        d.box(x, 208, width, TALL, "" if word in STROKES else word, strength=0.03, size=14)
        if word in STROKES:
            sign(d, word, middle, 223)
        d.arrow((middle, 238), (middle, 262), head=False, colour="#c8d0d8")
        lost = pieces == ("[UNK]",)
        for number, piece in enumerate(pieces):
            colour = GREY if lost else ORANGE if number else BLUE
            d.box(x, 294 + 30 * number, width, 27, piece, colour=colour, strength=0.2, size=14, dashed=lost)
        x += width + GAP
    d.box(422, 358, 26, 20, colour=BLUE, strength=0.2)
    d.text(460, 368, "begins a word", anchor="start", size=SMALL)
    d.box(422, 388, 26, 20, colour=ORANGE, strength=0.2)
    d.text(460, 398, "continues a word, written with ##", anchor="start", size=SMALL)
    d.box(422, 418, 26, 20, colour=GREY, strength=0.2, dashed=True)
    d.text(460, 428, "no pieces spell it: what it was is lost", anchor="start", size=SMALL)
    return d


if __name__ == "__main__":
    draw().save(__file__)
