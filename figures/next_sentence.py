"""BERT's pairs: a fair coin gives a sentence its true successor or a stranger, and [CLS] has to say which."""

from figures.drawing import GREY, INK, MUTED, ORANGE, SKY, SMALL, Box, Drawing

STORY = ("ada saw the boats.", "then she fed the old goat at noon.", "it was a long day on the river.")
REVIEW = ("the soup was rude.", "so the angry guests hated it.")
DESCRIPTION = """
Two documents. The first is a story: "ada saw the boats." "then she fed the old goat at noon." "it was a long day on the
river." The second is a review: "the soup was rude." "so the angry guests hated it." Sentence A is "ada saw the boats."
A fair coin decides. Heads: B is the next sentence of the same document, "then she fed the old goat at noon.", and the
label is 0, is next. Tails: B is a random sentence of another document, "the soup was rude.", and the label is 1, is not
next. Either pair is written as one row: [CLS], A, [SEP] with segment 0, then B, [SEP] with segment 1. BERT reads the
row. The final state of [CLS] alone goes through the pooler (a layer with tanh) and a linear map to two logits, whose
softmax is P(next) and P(not next).
"""
TALL = 30


def document(d: Drawing, x: float, width: float, name: str, sentences: tuple[str, ...], colour: str) -> list[Box]:
    """A document as a stack of sentences under its name."""
    d.text(x, 20, name, anchor="start", bold=True)
    d.box(x - 8, 32, width + 16, 8 + len(sentences) * (TALL + 6), colour=colour, strength=0.05)
    return [
        d.box(x, 39 + number * (TALL + 6), width, TALL, sentence, colour=colour, strength=0.2, size=14)
        for number, sentence in enumerate(sentences)
    ]


def row(d: Drawing, y: float, second: str, colour: str, label: str) -> None:
    """One pair as BERT reads it, with its segments and its label."""
    parts = (("[CLS]", 62, GREY, 0), (f"A: {STORY[0]}", 174, SKY, 0), ("[SEP]", 58, GREY, 0),
             (f"B: {second}", 270, colour, 1), ("[SEP]", 58, GREY, 1))  # fmt: skip
    x = 20.0
    for text, width, tint, segment in parts:
        special = tint == GREY
        d.box(x, y, width, TALL, text, colour=tint, strength=0.16 if special else 0.2, size=14)
        d.text(x + width / 2, y + TALL + 13, str(segment), size=SMALL, bold=bool(segment))
        x += width + 3
    d.text(x + 8, y + TALL / 2, label, anchor="start", bold=True, size=14)


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(506, title="How a pair is made, and what is asked of it", description=DESCRIPTION)
    story = document(d, 28, 268, "A document", (f"A: {STORY[0]}", *STORY[1:]), SKY)
    review = document(d, 536, 230, "Another document", REVIEW, ORANGE)
    coin = d.box(372, 64, 86, 52, "a fair\ncoin", colour=INK, strength=0.06, radius=26, size=14)
    d.arrow(story[1].right, (coin.x, story[1].centre[1]), width=1.6)
    d.arrow(review[0].left, (500, review[0].centre[1]), (500, coin.centre[1]), (coin.x + coin.width, coin.centre[1]),
            width=1.6)  # fmt: skip
    d.text(334, story[1].centre[1] - 12, "next", size=SMALL, colour=MUTED)
    d.text(500, coin.centre[1] + 16, "random", size=SMALL, colour=MUTED)

    row(d, 186, STORY[1], SKY, "heads\n0: is next")
    row(d, 256, REVIEW[0], ORANGE, "tails\n1: is not next")
    d.arrow((coin.x + coin.width / 2, coin.y + coin.height), (coin.x + coin.width / 2, 182), width=1.6)
    d.text(coin.x + coin.width / 2 + 10, 158, "heads: the upper row; tails: the lower", anchor="start", size=SMALL,
           colour=MUTED)  # fmt: skip
    d.text(20, 174, "The row that BERT reads; below it, the segments", anchor="start", size=SMALL, colour=MUTED)

    bert = d.box(20, 336, 634, 44, "BERT: every token sees every other, in both segments", strength=0.08, colour=INK)
    d.arrow((51, 316), (51, bert.y), width=1.6)
    for x in (171, 290, 457, 624):
        d.arrow((x, 316), (x, bert.y), colour="#c8d0d8", width=1.4)
    pooler = d.box(20, 424, 190, 46, "the state of [CLS],\nthen a layer with tanh", size=SMALL, strength=0.16)
    d.arrow((51, bert.y + bert.height), (51, pooler.y), width=1.6)
    logits = d.box(256, 424, 150, 46, "two logits,\nthen softmax", size=SMALL, strength=0.16)
    d.arrow(pooler.right, logits.left)
    says = d.box(452, 424, 202, 46, "P(next),  P(not next)", strength=0.03)
    d.arrow(logits.right, says.left)
    d.text(says.x + says.width / 2, 488, "loss = \N{MINUS SIGN}ln *P*(true label)", size=SMALL, colour=MUTED)
    return d


if __name__ == "__main__":
    draw().save(__file__)
