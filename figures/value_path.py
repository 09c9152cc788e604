"""The way of one value: from the place of *tea*, through one head, to the blank and to the guess."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, SMALL, Drawing

DESCRIPTION = """
Left, the vector at the place of tea, when layer 1 begins. The value matrix of head 1.3 makes a value of it, 16 numbers.
The head's weight for the blank multiplies it by 0.94; the values of the 17 other places come in with the remaining
0.06. The sum, the head's mixture, enters the output projection together with the mixtures of the three other heads of
the layer. What comes out is added to the vector that was at the blank before (the residual path) and normalised. The
feed-forward network and the word scores follow, and the guess is drank, with a probability of 0.95.
"""


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(330, title="A value's way from tea to the blank", description=DESCRIPTION)
    d.text(20, 22, "At the place of *tea*", anchor="start", bold=True)
    d.text(396, 22, "In head 1.3, at the blank", anchor="start", bold=True)
    d.text(20, 232, "At the blank, [MASK]", anchor="start", bold=True)
    tea = d.box(20, 50, 118, 50, "vector\nof the place", colour=GREEN)
    value = d.box(196, 50, 118, 50, "value\n16 numbers", colour=BLUE)
    d.arrow(tea.right, value.left)
    d.text(167, 60, "*W*^{V}", size=SMALL)
    mix = d.box(396, 50, 118, 50, "mixture\nof head 1.3", colour=BLUE)
    d.arrow(value.right, mix.left, colour=BLUE, width=6)
    d.text(352, 36, "weight 0.94", size=SMALL)
    rest = d.box(186, 136, 134, 50, "values of the\n17 other places")
    d.arrow(rest.right, (352, 161), (352, 84), (396, 84), width=1.2)
    d.text(400, 176, "together 0.06", size=SMALL, colour=MUTED)
    project = d.box(600, 50, 180, 50, "output projection *W*^{O}", colour=ORANGE)
    d.arrow(mix.right, project.left, colour=BLUE, width=2.4)
    others = d.box(600, 136, 180, 40, "mixtures of 3 other heads", size=SMALL)
    d.arrow(others.top, project.bottom)
    blank = d.box(20, 256, 118, 50, "vector before\nlayer 1", colour=GREEN)
    plus = d.plus(214, 281, radius=13)
    d.arrow(blank.right, plus.left)
    d.text(168, 312, "residual path", size=SMALL, colour=MUTED)
    d.arrow((780, 75), (792, 75), (792, 212), (214, 212), (214, 268), colour=BLUE, width=2.4)
    norm = d.box(252, 256, 104, 50, "normalise", colour=GREY)
    d.arrow(plus.right, norm.left)
    feed = d.box(386, 256, 128, 50, "feed-forward\nnetwork", colour=GREY)
    d.arrow(norm.right, feed.left)
    score = d.box(544, 256, 104, 50, "word scores", colour=GREY)
    d.arrow(feed.right, score.left)
    guess = d.box(678, 256, 102, 50, "*drank*\n0.95", colour=INK, strength=0.08, bold=True)
    d.arrow(score.right, guess.left)
    return d


if __name__ == "__main__":
    draw().save(__file__)
