"""The planted rule: a pronoun decides which of two wishes is the cause of the answer; in the twin world, the other."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, SMALL, Drawing

DESCRIPTION = """
The line ada likes tea, bruno likes milk, at noon she gets, then a blank, twice. In the world an arrow leads from tea
to the blank, and a second, dashed one from she: she says that the first wish counts, and the answer is tea; milk has no
arrow. In the twin world the same words stand there, but the arrow leads from milk to the blank, and the answer is milk;
tea has none.
"""
WORDS = ("ada", "likes", "tea", ",", "bruno", "likes", "milk", ".", "at", "noon", "she", "gets")
WIDTHS = (44, 50, 48, 22, 58, 50, 48, 22, 34, 50, 48, 50)


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(330, title="Which word is the cause?", description=DESCRIPTION)
    for top, name, cause, answer in (
        (92, "The world: one gets one's own wish", 2, "tea"),
        (252, "Its twin: one gets the other's", 6, "milk"),
    ):
        d.text(24, top - 70, name, anchor="start", bold=True)
        x, boxes = 24.0, []
        for number, (word, width) in enumerate(zip(WORDS, WIDTHS, strict=True)):
            colour = BLUE if number == cause else ORANGE if word == "she" else GREY
            special = number == cause or word == "she"
            boxes.append(d.box(x, top, width, 36, word, colour=colour, strength=0.3 if special else 0.08, bold=special))
            x += width + 6
        blank = d.box(x + 10, top, 96, 36, f"? = {answer}", colour=GREEN, bold=True)
        start, pronoun = boxes[cause].top, boxes[10].top
        over = top - 44
        d.arrow(start, (start[0], over), (blank.top[0] + 14, over), (blank.top[0] + 14, top), colour=BLUE)
        d.arrow(
            pronoun,
            (pronoun[0], top - 22),
            (blank.top[0] - 14, top - 22),
            (blank.top[0] - 14, top),
            colour=ORANGE,
            dashed=True,
        )
        decoy = boxes[6 if cause == 2 else 2]
        d.text(decoy.bottom[0], top + 54, "no influence", size=SMALL, colour=MUTED)
        d.text(boxes[cause].bottom[0], top + 54, "the cause", size=SMALL, colour=INK)
        d.text(boxes[10].bottom[0], top + 54, "says which", size=SMALL, colour=INK)
    return d


if __name__ == "__main__":
    draw().save(__file__)
