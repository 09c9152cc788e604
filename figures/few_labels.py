"""What the labels have to say: text without labels has sorted the adjectives, and three labels name the two groups."""

from figures.drawing import BLUE, GREEN, INK, MUTED, ORANGE, PINK, SMALL, Drawing

GOOD, BAD = ("great", "brave", "moving", "admirable"), ("dull", "weak", "dusty", "nasty")
DESCRIPTION = """
Three rows. First, many reviews without a label: "the speech was brave. so the eager neighbours praised it proudly",
"the soup was dusty. so the weary critics hated it sadly". Guessing hidden words sorts the adjectives into two groups,
drawn as two boxes side by side: great, brave, moving, admirable in one and dull, weak, dusty, nasty in the other.
Second, a few sentences with a label: "the play was great" is good, "the soup was dull" is bad, "the soup was not
dull" is good. They mention great and dull only, drawn in bold, and give the two groups their names, good and bad.
Third, a new sentence: "the hotel was not dusty". No label has mentioned dusty. The encoder puts it with dull, reads
not, and answers good.
"""
LEFT, MIDDLE, RIGHT = 20, 330, 570


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(430, title="What few labels have to say", description=DESCRIPTION)
    rows = (
        (20, "1  Many reviews, no label", "guessing hidden words sorts the adjectives"),
        (184, "2  A few sentences with a label", ""),
        (334, "3  A sentence with a word that no label has mentioned", ""),
    )
    d.text(MIDDLE + 235, 288, "the labels only have to name the two groups", size=SMALL, colour=MUTED)
    d.text(MIDDLE + 235, 150, "bold: occurs in a label", size=SMALL, colour=MUTED)
    for y, name, note in rows:
        d.text(LEFT, y, name, anchor="start", bold=True)
        d.text(780, y, note, anchor="end", size=SMALL, colour=MUTED)

    d.box(
        LEFT,
        40,
        270,
        40,
        "the speech was brave. so the eager\nneighbours praised it proudly.",
        strength=0.05,
        size=SMALL,
    )
    d.box(LEFT, 90, 270, 40, "the soup was dusty. so the weary\ncritics hated it sadly.", strength=0.05, size=SMALL)
    for x, words, colour in ((MIDDLE + 30, BAD, ORANGE), (RIGHT, GOOD, BLUE)):
        d.box(x, 40, 200, 90, colour=colour, strength=0.12, radius=14)
        for number, word in enumerate(words):
            d.text(x + 52 + 96 * (number % 2), 66 + 38 * (number // 2), word, bold=word in ("great", "dull"))
    d.arrow((LEFT + 276, 85), (MIDDLE + 24, 85), width=2.4)

    for number, (text, label, colour) in enumerate(
        (("the soup was dull.", "bad", ORANGE), ("the soup was not dull.", "good", BLUE),
         ("the play was great.", "good", BLUE))
    ):  # fmt: skip
        y = 202 + 34 * number
        d.box(LEFT, y, 196, 28, text, strength=0.05, size=SMALL)
        d.box(LEFT + 202, y, 68, 28, label, colour=colour, strength=0.3, size=SMALL, bold=True)
    for x, name, colour in ((MIDDLE + 30, "bad", ORANGE), (RIGHT, "good", BLUE)):
        d.box(x + 40, 230, 120, 36, name, colour=colour, strength=0.3, bold=True)
        d.arrow((x + 100, 230), (x + 100, 134), colour=colour, width=2.4)
    d.arrow((LEFT + 276, 248), (MIDDLE + 64, 248), width=2.4)

    sentence = d.box(LEFT, 362, 200, 40, "the hotel was not dusty.", strength=0.05, size=SMALL)
    words = "pretrained encoder:\n*dusty* is one of the bad ones,\n*not* turns it round"
    encoder = d.box(248, 350, 218, 64, words, colour=GREEN, strength=0.2, size=SMALL)
    head = d.box(510, 362, 130, 40, "new linear head", colour=PINK, strength=0.25, size=SMALL, dashed=True)
    answer = d.box(690, 362, 90, 40, "good", colour=BLUE, strength=0.3, bold=True)
    for one, other in ((sentence, encoder), (encoder, head), (head, answer)):
        d.arrow(one.right, other.left, colour=INK, width=2)
    d.text((encoder.right[0] + head.left[0]) / 2, 366, "[CLS]", size=SMALL, colour=MUTED)
    return d


if __name__ == "__main__":
    draw().save(__file__)
