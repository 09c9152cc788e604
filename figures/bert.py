"""The whole of BERT: embeddings, a stack of encoder layers, the pooler and the two pretraining heads."""

from figures.drawing import BLUE, GREEN, GREY, MUTED, NORMAL, ORANGE, PINK, RED, SKY, SMALL, Drawing

TOKENS = ("[CLS]", "the", "[MASK]", "opens", "[SEP]", "it", "is", "old", "[SEP]")
DESCRIPTION = """
The whole of BERT, read from bottom to top. Nine tokens, [CLS] the [MASK] opens [SEP] it is old [SEP], go into the
embeddings: token, position and segment embeddings are added and normalised. A stack of L equal encoder layers
follows; every position sees every position, to its left and to its right. The result is one vector per token,
last_hidden_state. On the left, the vector of [CLS] goes through the pooler, tanh(W h + b), and a linear map to two
logits: is next, is not next. On the right, the vector of the masked token goes through the masked language model
head: a linear map, GELU and LayerNorm, then the product with the transposed token embeddings, the same parameters as
at the input, plus a bias, which gives one logit for each word piece of the vocabulary. There is no stack of decoder
layers in BERT.
"""


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(760, title="BERT: embeddings, encoder layers, pooler and pretraining heads", description=DESCRIPTION)
    left, step, wide = 40, 62, 56
    end = left + (len(TOKENS) - 1) * step + wide

    def centre(column: int) -> float:
        return left + column * step + wide / 2

    d.box(left, 608, end - left, 66, colour=GREEN, strength=0.14, radius=10)
    for x, name, colour in ((0, "token", BLUE), (1, "position", GREEN), (2, "segment", SKY)):
        d.box(left + 12 + x * 112, 634, 100, 28, name, colour=colour, strength=0.3, size=14)
        if x:
            d.text(left + 6 + x * 112, 648, "+", bold=True)
    d.text(left + 12, 621, "embeddings", anchor="start", size=14, bold=True)
    d.arrow((left + 340, 648), (left + 364, 648))
    d.box(left + 368, 634, end - left - 380, 28, "LayerNorm, dropout", colour=ORANGE, strength=0.3, size=14)

    for depth in (2, 1, 0):
        d.box(left + 8 * depth, 446 - 8 * depth, end - left, 122, colour=GREY, strength=0.1, radius=10, edge=1.2)
    d.box(left + 150, 520, end - left - 300, 32, "multi-head self-attention", colour=BLUE, strength=0.24)
    d.box(left + 150, 464, end - left - 300, 32, "feed-forward network", colour=GREEN, strength=0.22)
    d.arrow((centre(4), 519), (centre(4), 498))
    d.text(left + 14, 458 + 49, "encoder\nlayer", anchor="start", size=14, bold=True)
    d.text(end - 14, 507, "each with\nadd, LayerNorm", anchor="end", size=SMALL, colour=MUTED)
    d.text(end + 26, 490, "× *L*", anchor="start", size=20, bold=True)
    d.text(end + 26, 524, "BERT-base: 12\nBERT-large: 24", anchor="start", size=SMALL, colour=MUTED)

    for column, token in enumerate(TOKENS):
        special, masked = token.startswith("["), token == "[MASK]"
        colour = RED if masked else GREY
        d.box(left + column * step, 704, wide, 30, token, colour=colour, strength=0.2 if special else 0.04, size=SMALL)
        d.arrow((centre(column), 702), (centre(column), 676), width=1.4)
        d.arrow((centre(column), 606), (centre(column), 570), width=1.4)
        colour = {0: PINK, 2: RED}.get(column, GREY)
        d.arrow((centre(column), 428 if column > 0 else 444), (centre(column), 394), width=1.4)
        strength = 0.08 if colour == GREY else 0.3
        d.box(left + column * step, 362, wide, 30, f"*h*_{{{column}}}", colour=colour, strength=strength)
    d.text(end + 26, 377, "`last_hidden_state`\n`(B, S, E)`", anchor="start", size=SMALL, colour=MUTED)

    pooler = d.box(left, 272, 190, 46, "pooler\ntanh(*W h*_{0} + *b*)", colour=PINK, strength=0.24, size=14)
    nsp = d.box(left, 202, 190, 32, "linear `E → 2`", colour=PINK, strength=0.24, size=14)
    d.arrow((centre(0), 360), (centre(0), 320))
    d.arrow(pooler.top, nsp.bottom)
    d.arrow(nsp.top, (nsp.top[0], 78))
    d.text(nsp.top[0], 52, "two logits:\nis next, is not next", size=NORMAL)
    d.text(nsp.top[0], 20, "Next sentence prediction", size=NORMAL, bold=True)

    x, width = 290, 310
    transform = d.box(
        x, 272, width, 46, "transform\nlinear `E → E`, GELU, LayerNorm", colour=RED, strength=0.2, size=14
    )
    decoder = d.box(x, 186, width, 48, "× (token embeddings)^{T} + bias\n`E → V`", colour=BLUE, strength=0.3, size=14)
    d.arrow((centre(2), 360), (centre(2), 340), (x + width / 2, 340), (x + width / 2, 320))
    d.arrow(transform.top, decoder.bottom)
    d.arrow(decoder.top, (decoder.top[0], 158))
    d.text(decoder.top[0], 20, "Masked language model", size=NORMAL, bold=True)
    for row, (word, share) in enumerate((("bank", 0.61), ("shop", 0.27), ("river", 0.02))):
        y = 56 + 32 * row
        d.text(x + 64, y, word, anchor="end", size=14)
        d.box(x + 74, y - 10, 240 * share, 20, colour=RED, strength=0.35, radius=2, edge=1)
    d.text(x + 236, 116, "softmax over one logit\nper word piece", size=SMALL, colour=MUTED)

    tie_x = 776
    d.arrow(
        (left + 62, 663),
        (left + 62, 690),
        (tie_x, 690),
        (tie_x, 210),
        (decoder.right[0], 210),
        colour=BLUE,
        dashed=True,
    )
    d.text(688, 182, "tied: the same\nparameters", size=SMALL, colour="#005a8e")
    return d


if __name__ == "__main__":
    draw().save(__file__)
