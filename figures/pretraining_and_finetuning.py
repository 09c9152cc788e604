"""Pretraining once on text without labels, fine-tuning many times on few labels."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, PINK, RED, SMALL, Box, Drawing

DESCRIPTION = """
Two panels. Left, pretraining: once, on much text without labels. Pairs of sentences with masked words go into BERT;
the vector of [CLS] predicts whether the second sentence follows, and the vectors of the masked positions predict the
words that stood there; the two losses are added. An arrow carries all weights of BERT, without the pretraining heads,
to the right panel. Right, fine-tuning: once for each task, on few labelled examples. The same BERT gets a new
head: for classification on the pooled vector of [CLS], for tagging on every token's vector, for question
answering two numbers at every token, for the start and the end of the answer. Every weight, old and new, is trained.
"""


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(560, title="Pretraining and fine-tuning", description=DESCRIPTION)
    d.box(16, 16, 318, 528, colour=GREY, strength=0.05, radius=12, edge=1)
    d.box(414, 16, 370, 528, colour=GREEN, strength=0.05, radius=12, edge=1)
    d.text(175, 44, "Pretraining", size=19, bold=True)
    d.text(175, 70, "once, on much text without labels", size=14, colour=MUTED)
    d.text(599, 44, "Fine-tuning", size=19, bold=True)
    d.text(599, 70, "for each task, on few labelled examples", size=14, colour=MUTED)

    nsp = d.box(28, 178, 104, 50, "NSP head\nis next?", colour=PINK, strength=0.25, size=14)
    mlm = d.box(154, 178, 168, 50, "MLM head\nwhich word was it?", colour=RED, strength=0.22, size=14)
    for head, loss, vector in ((nsp, "NSP loss", "[CLS]"), (mlm, "MLM loss", "[MASK]")):
        d.text(head.top[0], 118, loss)
        d.arrow(head.top, (head.top[0], 134))
        d.arrow((head.bottom[0], 290), (head.bottom[0], 230))
        d.text(head.bottom[0] + 10, 260, vector, anchor="start", size=SMALL, colour=MUTED)
    d.text(152, 118, "+", bold=True)
    bert = d.box(28, 292, 294, 92, colour=BLUE, strength=0.22, radius=10)
    d.text(175, 328, "BERT", size=22, bold=True)
    d.text(175, 358, "starts from random numbers", size=14, colour=MUTED)
    _tokens(d, bert, ("[CLS]", "the", "[MASK]", "[SEP]", "it", "[SEP]"))
    d.text(175, 502, "two sentences, 15 % of the words chosen\nto be guessed", size=14, colour=MUTED)

    other = d.box(434, 292, 330, 92, colour=BLUE, strength=0.22, radius=10)
    d.text(599, 328, "the same BERT", size=22, bold=True)
    d.text(599, 358, "starts from the pretrained weights", size=14, colour=MUTED)
    d.arrow((bert.right[0] + 2, 338), (other.left[0] - 2, 338), colour=INK, width=3)
    d.text(374, 306, "weights", size=14, bold=True)
    d.text(374, 366, "without\nheads", size=SMALL, colour=MUTED)
    _tokens(d, other, ("[CLS]", "is", "it", "old", "[SEP]", "yes", "[SEP]"))
    heads = (
        (434, "Classification", "linear on\npooled [CLS]", "one label\nper text", PINK),
        (548, "Tagging", "linear on\nevery token", "one label\nper token", GREEN),
        (662, "Questions", "2 scores for\nevery token", "start, end\nof the answer", ORANGE),
    )
    for x, name, head, label, colour in heads:
        box = d.box(x, 178, 102, 50, head, colour=colour, strength=0.28, size=SMALL, dashed=True)
        d.arrow((box.bottom[0], 290), (box.bottom[0], 230))
        d.text(box.top[0], 108, name, size=14, bold=True)
        d.text(box.top[0], 144, label, size=SMALL, colour=MUTED)
    d.text(542, 260, "or", size=14, colour=MUTED)
    d.text(656, 260, "or", size=14, colour=MUTED)
    d.text(599, 502, "a new head (dashed);\nevery weight, old and new, is trained", size=14, colour=MUTED)
    return d


def _tokens(d: Drawing, above: Box, tokens: tuple[str, ...]) -> None:
    """A row of tokens with arrows into the box above them."""
    step = above.width / sum(len(token) + 2 for token in tokens)
    x = above.x
    for token in tokens:
        masked, special, width = token == "[MASK]", token.startswith("["), (len(token) + 2) * step
        box = d.box(x + 1, 428, width - 2, 28, token, colour=RED if masked else GREY,
                    strength=0.2 if special else 0.04, size=12.5, radius=4)  # fmt: skip
        x += width
        d.arrow(box.top, (box.top[0], above.y + above.height + 2), width=1.4)


if __name__ == "__main__":
    draw().save(__file__)
