"""One encoder layer: attention, then the feed-forward network, each followed by a sum and LayerNorm (post-norm)."""

from figures.drawing import BLUE, GREEN, GREY, MUTED, ORANGE, SMALL, Drawing

DESCRIPTION = """
One encoder layer of BERT, read from bottom to top. The input x goes into multi-head self-attention and dropout. The
result is added to x itself, which arrives by a residual path around the block, and the sum goes through LayerNorm:
that is h. It goes into the feed-forward network (a linear map from hidden_size to intermediate_size, GELU, and a
linear map back) and dropout, is added to h, and the sum goes through a second LayerNorm: that is the output y.
LayerNorm stands after each sum, which is called post-norm. All of x, h and y have the shape batch by sequence by
hidden size.
"""


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(640, title="One encoder layer of BERT (post-norm)", description=DESCRIPTION)
    x, width = 112, 250
    middle = x + width / 2
    d.box(62, 56, 340, 528, colour=GREY, strength=0.07, radius=14, edge=1)

    attention = d.box(x, 494, width, 52, "Multi-head self-attention", colour=BLUE, strength=0.22)
    drop1 = d.box(x + 65, 446, width - 130, 28, "Dropout", strength=0.12, size=SMALL)
    sum1 = d.plus(middle, 416)
    norm1 = d.box(x, 346, width, 38, "LayerNorm", colour=ORANGE, strength=0.3)
    ffn = d.box(x, 226, width, 82, colour=GREEN, strength=0.2)
    d.text(middle, ffn.y + 18, "Feed-forward network")
    d.text(middle, ffn.y + 42, "linear `E → I`, then GELU", size=SMALL)
    d.text(middle, ffn.y + 63, "linear `I → E`", size=SMALL)
    drop2 = d.box(x + 65, 178, width - 130, 28, "Dropout", strength=0.12, size=SMALL)
    sum2 = d.plus(middle, 148)
    norm2 = d.box(x, 78, width, 38, "LayerNorm", colour=ORANGE, strength=0.3)

    d.arrow((middle, 606), attention.bottom)
    d.arrow(attention.top, drop1.bottom)
    d.arrow(drop1.top, sum1.bottom)
    d.arrow(sum1.top, norm1.bottom)
    d.arrow(norm1.top, ffn.bottom)
    d.arrow(ffn.top, drop2.bottom)
    d.arrow(drop2.top, sum2.bottom)
    d.arrow(sum2.top, norm2.bottom)
    d.arrow(norm2.top, (middle, 36))
    for fork, total in ((566, sum1), (328, sum2)):
        d.dot(middle, fork)
        d.arrow((middle, fork), (84, fork), (84, total.left[1]), total.left)
    d.text(middle, 620, "*x*")
    d.text(middle, 22, "*y*")
    d.text(middle + 14, 336, "*h*", anchor="start")
    d.text(74, 492, "residual", turned=True, size=SMALL, colour=MUTED)
    d.text(74, 240, "residual", turned=True, size=SMALL, colour=MUTED)
    for y in (416, 148):
        d.text(middle + 20, y, "add", anchor="start", size=SMALL, colour=MUTED)

    left = 440
    for y, colour, formula, name, note in (
        (148, GREEN, "*y* = LayerNorm(*h* + Dropout(FFN(*h*)))", "`intermediate`, `output`", FFN_NOTE),
        (
            416,
            BLUE,
            "*h* = LayerNorm(*x* + Dropout(Attention(*x*)))",
            "`attention.self`, `attention.output`",
            ATTENTION_NOTE,
        ),
    ):
        d.arrow((left - 14, y - 20), (left - 14, y + 100), colour=colour, head=False, width=3)
        d.text(left, y - 8, formula, anchor="start", size=16)
        d.text(left, y + 42, note, anchor="start", size=14, colour=MUTED)
        d.text(left, y + 89, f"Hugging Face: {name}", anchor="start", size=SMALL, colour=MUTED)
    for y, colour, name in ((98, GREEN, "The FFN computes"), (366, BLUE, "Attention moves")):
        d.text(left, y, name, anchor="start", bold=True, size=17)
        d.arrow((left - 14, y - 14), (left - 14, y + 30), colour=colour, head=False, width=3)
    d.text(
        left,
        590,
        "*x*, *h*, *y* are `(B, S, E)`: batch, sequence, width\n`I`, the inner width, is four times `E`",
        anchor="start",
        size=SMALL,
        colour=MUTED,
    )
    return d


FFN_NOTE = "The same small network at each token,\nwhich sees that token and no other."
ATTENTION_NOTE = "The only place in the layer where one\ntoken takes something from the others."

if __name__ == "__main__":
    draw().save(__file__)
