"""What goes into BERT: three embeddings per position, added up."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, SKY, SMALL, Drawing

# tokens, ids, types: the ids of the words are an example, those of the special tokens hold in all our vocabularies
COLUMNS = (
    ("[CLS]", 2, 0), ("the", 9, 0), ("bank", 41, 0), ("opens", 87, 0), ("[SEP]", 3, 0),
    ("she", 12, 1), ("deposit", 63, 1), ("##s", 6, 1), ("it", 10, 1), ("[SEP]", 3, 1), ("[PAD]", 0, 0),
)  # fmt: skip
DESCRIPTION = """
BERT's input for the sentence pair "the bank opens", "she deposits it": eleven columns, one per position. The tokens
are [CLS] the bank opens [SEP] she deposit ##s it [SEP] [PAD]. Each token has an entry in input_ids, in token_type_ids
(0 in the first sentence with its [CLS] and [SEP], 1 in the second with its [SEP], 0 in padding) and in position_ids
(0 to 10). The three ids look up three embeddings, of the word piece, of the segment and of the position, which are
added. The sum goes through LayerNorm and dropout into the first encoder layer. The attention_mask is 1 for tokens and
0 for padding; it is not added but goes to every attention layer.
"""


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(622, title="BERT's input: word, segment and position embeddings", description=DESCRIPTION)
    left, step, wide, names = 148, 58, 54, 134
    end = left + (len(COLUMNS) - 1) * step + wide

    for column, (token, token_id, kind) in enumerate(COLUMNS):
        x, padding, special = left + column * step, token == "[PAD]", token.startswith("[")
        middle = x + wide / 2
        d.box(x, 488, wide, 30, token, colour=GREY if special else INK, strength=0.16 if special else 0.03,
              size=SMALL, dashed=padding)  # fmt: skip
        d.text(middle, 456, str(token_id), size=14)
        d.text(middle, 424, str(kind), size=14, bold=bool(kind))
        d.text(middle, 392, str(column), size=14)
        d.text(middle, 582, "0" if padding else "1", size=14, bold=padding)
        d.arrow((middle, 372), (middle, 338), width=1.4)
        d.box(x, 300, wide, 34, token, colour=BLUE, strength=0.24, size=SMALL, dashed=padding)
        d.text(middle, 289, "+", bold=True)
        d.box(x, 244, wide, 34, "AB"[kind], colour=(SKY, ORANGE)[kind], strength=0.3, dashed=padding)
        d.text(middle, 233, "+", bold=True)
        d.box(x, 188, wide, 34, str(column), colour=GREEN, strength=0.24, dashed=padding)
        d.arrow((middle, 186), (middle, 154), width=1.4)

    for first, last, name, colour in ((0, 4, "sentence A", SKY), (5, 9, "sentence B", ORANGE)):
        d.box(left + first * step, 524, (last - first) * step + wide, 26, name, colour=colour, strength=0.2, size=14)
    rows = ((503, "tokens"), (317, "word piece"), (261, "+ segment"), (205, "+ position"), (133, "= sum"))
    for y, name in rows:
        d.text(names, y, name, anchor="end", bold=True, size=14)
    for y, name in (
        (456, "`input_ids`"),
        (424, "`token_type_ids`"),
        (392, "`position_ids`"),
        (582, "`attention_mask`"),
    ):
        d.text(names, y, name, anchor="end", size=SMALL)
    d.arrow((14, 566), (end, 566), colour="#c8d0d8", head=False, width=1)
    d.text(
        end, 601, "not added: it tells every attention layer where padding is", anchor="end", size=SMALL, colour=MUTED
    )

    norm = d.box(left, 112, end - left, 40, "LayerNorm, then dropout", colour=ORANGE, strength=0.3)
    d.arrow(norm.top, (norm.top[0], 62))
    d.text(norm.top[0], 44, "to the first encoder layer:  `(B, S, E)`")
    return d


if __name__ == "__main__":
    draw().save(__file__)
