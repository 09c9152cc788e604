"""Two ways to compare sentences: read each alone and compare vectors, or read both together."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, SMALL, Drawing

DESCRIPTION = """
On the left a bi-encoder: "ada praised dora" goes through BERT alone, its states are averaged into one vector; "the
judge lauded ada" goes through the same BERT alone and becomes another vector; the cosine of the two is the answer. The
second vector can be computed long before the question: 500 sentences are read once, and a query costs one more pass.
On the right a cross-encoder: both sentences stand in one row, [CLS] ada praised dora [SEP] the judge lauded ada [SEP],
every word can attend to every other, and the state of [CLS] gives the answer. Nothing can be kept: a query costs 500
passes. Below: the first finds ten sentences among 500, the second puts the ten in order, which costs eleven passes.
"""
ONE, OTHER = "ada praised dora", "the judge lauded ada"


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(500, title="Bi-encoder and cross-encoder", description=DESCRIPTION)
    d.text(20, 22, "Bi-encoder: each alone", anchor="start", bold=True)
    for x, sentence, colour, note in (
        (20, ONE, GREEN, "the query, now"),
        (212, OTHER, ORANGE, "the index, once"),
    ):
        text = d.box(x, 42, 180, 34, sentence, colour=colour, size=SMALL)
        bert = d.box(x + 30, 112, 120, 42, "BERT", colour=INK, strength=0.08)
        d.arrow(text.bottom, bert.top)
        mean = d.box(x + 30, 190, 120, 32, "mean of states", colour=GREY, size=SMALL)
        d.arrow(bert.bottom, mean.top)
        vector = d.matrix(
            x + 42, 258, [[0.2, 0.9, 0.5, 0.1]] if colour == GREEN else [[0.3, 0.8, 0.6, 0.2]], colour=colour
        )
        d.arrow(mean.bottom, (vector.x + vector.width / 2, vector.y))
        d.text(x + 95, 94, note, anchor="start", size=SMALL, colour=MUTED)
        d.arrow((vector.x + vector.width / 2, vector.y + vector.height), (x + 90, 318), (206, 318), (206, 334))
    d.box(126, 334, 160, 34, "cosine", colour=BLUE, strength=0.2, bold=True)
    d.text(206, 388, "a query among 500 sentences: 1 pass", size=SMALL, colour=MUTED)

    d.text(430, 22, "Cross-encoder: both together", anchor="start", bold=True)
    d.box(430, 42, 50, 34, "[CLS]", size=SMALL)
    d.box(482, 42, 140, 34, ONE, colour=GREEN, size=SMALL)
    d.box(624, 42, 160, 34, OTHER, colour=ORANGE, size=SMALL)
    bert = d.box(430, 112, 354, 110, "BERT\nevery word attends to every other", colour=INK, strength=0.08)
    for x in (455, 552, 704):
        d.arrow((x, 76), (x, bert.y))
    state = d.matrix(443, 258, [[0.9]], colour=BLUE)
    d.arrow((455, 222), (455, 258))
    d.text(478, 270, "the state of [CLS]", anchor="start", size=SMALL, colour=MUTED)
    score = d.box(430, 334, 160, 34, "parts in common", colour=BLUE, strength=0.2, bold=True)
    d.arrow((state.x + 12, state.y + state.height), (state.x + 12, score.y))
    d.text(607, 388, "a query among 500 sentences: 500 passes", size=SMALL, colour=MUTED)

    d.text(20, 426, "Together", anchor="start", bold=True)
    first = d.box(110, 440, 150, 40, "500 sentences", colour=ORANGE)
    second = d.box(360, 440, 120, 40, "the 10 best", colour=ORANGE, strength=0.3)
    third = d.box(610, 440, 150, 40, "in order", colour=ORANGE, strength=0.45)
    d.arrow(first.right, second.left)
    d.text(310, 434, "bi-encoder: 1", size=SMALL, colour=MUTED)
    d.arrow(second.right, third.left)
    d.text(545, 434, "cross-encoder: 10", size=SMALL, colour=MUTED)
    return d


if __name__ == "__main__":
    draw().save(__file__)
