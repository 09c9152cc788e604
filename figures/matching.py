"""Two ways to compare sentences: read each alone and compare vectors, or read both together."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, SMALL, Drawing

DESCRIPTION = """
On the left a bi-encoder: "ada praised dora" goes through BERT alone, its states are averaged into one vector; "the
baker lauded the judge" goes through the same BERT alone and becomes another vector; the cosine of the two is the
score. The second vector can be computed long before the question: 500 sentences are read once, and a query costs one
more pass. On the right a cross-encoder: both sentences stand in one row, [CLS] ada praised dora [SEP] the baker lauded
the judge [SEP], every token can attend to every other, and the state of [CLS] gives the score. Nothing can be kept: a
query costs 500 passes. Below: the first finds ten sentences among 500 in one pass, the second puts the ten in order in
ten more.
"""
ONE, OTHER = "ada\npraised dora", "the baker\nlauded the judge"


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(500, title="Bi-encoder and cross-encoder", description=DESCRIPTION)
    d.text(20, 22, "Bi-encoder: each alone", anchor="start", bold=True)
    for x, sentence, colour, note, name in (
        (10, ONE, GREEN, "the query, now", "BERT"),
        (202, OTHER, ORANGE, "the index, once", "the same BERT"),
    ):
        text = d.box(x, 36, 186, 42, sentence, colour=colour, size=SMALL)
        bert = d.box(x + 23, 112, 140, 42, name, colour=INK, strength=0.08)
        d.arrow(text.bottom, bert.top)
        mean = d.box(x + 33, 190, 120, 32, "mean of states", colour=GREY, size=SMALL)
        d.arrow(bert.bottom, mean.top)
        vector = d.matrix(
            x + 45, 258, [[0.2, 0.9, 0.5, 0.1]] if colour == GREEN else [[0.3, 0.8, 0.6, 0.2]], colour=colour
        )
        d.arrow(mean.bottom, (vector.x + vector.width / 2, vector.y))
        d.text(x + 99, 94, note, anchor="start", size=SMALL, colour=MUTED)
        d.arrow((vector.x + vector.width / 2, vector.y + vector.height), (x + 93, 318), (199, 318), (199, 334))
    d.box(119, 334, 160, 34, "cosine", colour=BLUE, strength=0.2, bold=True)
    d.text(199, 388, "a query among 500 sentences: 1 pass", size=SMALL, colour=MUTED)

    d.text(412, 22, "Cross-encoder: both together", anchor="start", bold=True)
    row = ((412, 50, "[CLS]", GREY), (464, 126, ONE, GREEN), (592, 50, "[SEP]", GREY), (644, 146, OTHER, ORANGE))
    bert = d.box(412, 112, 378, 110, "BERT\nevery token attends to every other", colour=INK, strength=0.08)
    for x, width, text, colour in row:
        d.box(x, 36, width, 42, text, colour=colour, size=SMALL)
        d.arrow((x + width / 2, 78), (x + width / 2, bert.y))
    state = d.matrix(425, 258, [[0.9]], colour=BLUE)
    d.arrow((437, 222), (437, 258))
    d.text(460, 270, "the state of [CLS]", anchor="start", size=SMALL, colour=MUTED)
    score = d.box(412, 334, 160, 34, "score of a head", colour=BLUE, strength=0.2, bold=True)
    d.arrow((state.x + 12, state.y + state.height), (state.x + 12, score.y))
    d.text(594, 388, "a query among 500 sentences: 500 passes", size=SMALL, colour=MUTED)

    d.text(20, 426, "Together", anchor="start", bold=True)
    first = d.box(110, 440, 130, 40, "500 sentences", colour=ORANGE)
    second = d.box(370, 440, 110, 40, "the 10 best", colour=ORANGE, strength=0.3)
    third = d.box(640, 440, 130, 40, "in order", colour=ORANGE, strength=0.45)
    d.arrow(first.right, second.left)
    d.text(305, 434, "bi-encoder: 1", size=SMALL, colour=MUTED)
    d.arrow(second.right, third.left)
    d.text(560, 434, "cross-encoder: 10 more", size=SMALL, colour=MUTED)
    return d


if __name__ == "__main__":
    draw().save(__file__)
