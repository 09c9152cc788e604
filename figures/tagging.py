"""Tags come one to a word and BERT reads pieces: the first piece carries its word's tag, the others are not scored."""

from figures.drawing import GREEN, GREY, INK, MUTED, ORANGE, PINK, SMALL, Drawing

# word, its tag, its pieces, the colour of its kind
WORDS = (
    ("", "", ("[CLS]",), GREY),
    ("ashton", "B-ORG", ("ash", "##ton"), ORANGE),
    ("hired", "O", ("hired",), GREY),
    ("hartingford", "B-PER", ("hart", "##ing", "##ford"), PINK),
    (".", "O", (".",), GREY),
    ("", "", ("[SEP]",), GREY),
)
DESCRIPTION = """
The sentence "ashton hired hartingford ." has four words with a tag each: B-ORG, O, B-PER, O. BERT reads nine tokens,
[CLS] ash ##ton hired hart ##ing ##ford . [SEP]: ashton is two pieces and hartingford three. BERT gives every token a
probability for each tag. In use only the first piece of each word is asked, and gives four tags for four words: ashton
is a firm, hartingford a person. In training the probabilities of each token are compared with its label: the first
piece of each word has the word's tag; the further pieces ##ton, ##ing and ##ford have -100, as have [CLS] and [SEP],
and are not scored.
"""
LEFT, STEP, WIDE, TALL = 20, 85.6, 76, 32


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(452, title="From words to pieces and back", description=DESCRIPTION)
    for y, name, note in (
        (20, "The words and their tags", "somebody has written one tag beside each word"),
        (118, "What BERT reads", "pieces: there are more of them than tags"),
        (288, "In use: back to words", "the first piece speaks, whatever the others say"),
        (388, "In training: the labels", "compared with what BERT says at each token; -100 is not scored"),
    ):
        d.text(LEFT, y, name, anchor="start", bold=True)
        d.text(LEFT + 224, y, note, anchor="start", size=SMALL, colour=MUTED)
    bert = d.box(LEFT, 196, 8 * STEP + WIDE, 44, "BERT, then one linear map: at each token a probability for every tag",
                 colour=INK, strength=0.08)  # fmt: skip
    column = 0
    for word, tag, pieces, colour in WORDS:
        x, wide = LEFT + column * STEP, (len(pieces) - 1) * STEP + WIDE
        if word:
            label = f"{word}   {tag}" if len(pieces) > 1 else f"{word}  {tag}"
            d.box(x, 36, wide, TALL, label, colour=colour, strength=0.16, size=14)
            d.box(x, 304, wide, TALL, label, colour=colour, strength=0.16, size=14, bold=True)
        for number, piece in enumerate(pieces):
            begin, middle = x + number * STEP, x + number * STEP + WIDE / 2
            scored = bool(word) and not number
            ink = colour if word else GREY
            if word:
                d.arrow((middle, 68), (middle, 102), width=1.4)
            d.box(begin, 134, WIDE, TALL, piece, colour=ink, strength=0.16 if word else 0.05, size=14)
            d.box(begin, 404, WIDE, TALL, tag if scored else "-100", colour=ink, strength=0.3 if scored else 0.03,
                  size=14, bold=scored, dashed=not scored)  # fmt: skip
            d.arrow((middle, 166), (middle, bert.y), width=1.4)
            d.arrow((middle, 240), (middle, 272), colour=GREEN if scored else "#c8d0d8", head=scored, width=1.6)
        column += len(pieces)
    return d


if __name__ == "__main__":
    draw().save(__file__)
