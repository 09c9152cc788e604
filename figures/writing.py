"""Writing with a model that fills blanks: all at once, one at a time, and with a decoder."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, RED, SMALL, Drawing

DESCRIPTION = """
The text is "bruno MASK the MASK". Left, all at once: the first blank asks the model alone and draws drank, the second
asks alone and draws cat; each is likely, and together they say "bruno drank the cat". Middle, one at a time: the first
blank draws drank, the model reads the text again with drank in it, and the second blank draws milk. Right, an
encoder-decoder: the encoder reads the source line, the decoder reads the encoder's states and what is written so far,
and writes the next word, until the end mark.
"""


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(372, title="Filling at once, one at a time, and with a decoder", description=DESCRIPTION)
    for x, title in ((20, "All at once"), (290, "One at a time"), (560, "Encoder-decoder")):
        d.text(x, 22, title, anchor="start", bold=True)

    def row(x: float, y: float, words: tuple[str, ...], colours: tuple[str, ...]) -> list[tuple[float, float, float]]:
        places = []
        for word, colour, left in zip(words, colours, (0, 56, 120, 158), strict=True):
            width = {0: 54, 56: 62, 120: 36, 158: 62}[left]
            d.box(x + left, y, width, 30, word, colour=colour, size=SMALL)
            places.append((x + left + width / 2, y, y + 30))
        return places

    masked = ("bruno", "[MASK]", "the", "[MASK]")
    top = row(20, 46, masked, (GREY, BLUE, GREY, BLUE))
    d.box(20, 116, 220, 40, "BERT", colour=INK, strength=0.08)
    bottom = row(20, 216, ("bruno", "drank", "the", "cat"), (GREY, RED, GREY, RED))
    for place in (1, 3):
        d.arrow((top[place][0], top[place][2]), (top[place][0], 116))
        d.arrow((bottom[place][0], 156), (bottom[place][0], 216))
    d.text(158, 186, "neither knows\nthe other", size=SMALL, colour=MUTED)
    d.text(130, 270, "likely apart, impossible together", size=SMALL, colour=MUTED)

    top = row(290, 46, masked, (GREY, BLUE, GREY, BLUE))
    d.box(290, 96, 220, 30, "BERT", colour=INK, strength=0.08)
    middle = row(290, 152, ("bruno", "drank", "the", "[MASK]"), (GREY, ORANGE, GREY, BLUE))
    d.box(290, 206, 220, 30, "BERT, again", colour=INK, strength=0.08)
    bottom = row(290, 262, ("bruno", "drank", "the", "milk"), (GREY, ORANGE, GREY, GREEN))
    d.arrow((top[1][0], 76), (top[1][0], 96))
    d.arrow((middle[1][0], 126), (middle[1][0], 152))
    for place in (1, 3):
        d.arrow((middle[place][0], 182), (middle[place][0], 206))
    d.arrow((bottom[3][0], 236), (bottom[3][0], 262))
    d.text(400, 316, "the second blank has read the first", size=SMALL, colour=MUTED)

    d.box(560, 46, 220, 30, "bruno drank the milk", colour=GREY, size=SMALL)
    encoder = d.box(560, 96, 220, 40, "encoder: reads both sides", colour=INK, strength=0.08, size=SMALL)
    d.arrow((670, 76), encoder.top)
    decoder = d.box(560, 186, 220, 40, "decoder: looks back only", colour=BLUE, strength=0.2, size=SMALL)
    d.arrow(encoder.bottom, decoder.top)
    d.text(680, 162, "all its states", anchor="start", size=SMALL, colour=MUTED)
    d.box(560, 276, 104, 30, "norg dhi", colour=GREEN, size=SMALL)
    d.box(676, 276, 104, 30, "tlemg", colour=ORANGE, strength=0.3, size=SMALL)
    d.arrow((612, 276), (612, 226))
    d.arrow((728, 226), (728, 276))
    d.text(612, 328, "written so far", size=SMALL, colour=MUTED)
    d.text(728, 328, "next word", size=SMALL, colour=MUTED)
    return d


if __name__ == "__main__":
    draw().save(__file__)
