"""The residual stream: a lane for each token, which attention alone crosses and to which everything is added."""

from figures.drawing import BLUE, GREEN, INK, MUTED, ORANGE, SMALL, Drawing

LANES = ("the", "boat", "##s", "near", "[MASK]")
DESCRIPTION = """
The residual stream of five tokens: the, boat, ##s, near, [MASK]. Each token has a lane of its own, a thick line
that runs upwards without a break, from its embedding to the next layer. In the lower half a wide bar, attention,
lies across all lanes; an arrow inside it leads from the lane of ##s to the lane of [MASK] and is labelled plural;
what attention brings is added to each lane at a plus sign. In the upper half each lane has a small FFN box of its
own, which reads that lane and no other; what it computes is added to the same lane at a second plus sign. After
each sum LayerNorm rescales the lane.
"""
LEFT, STEP = 60, 112
BOTTOM, TOP = 470, 44


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(530, title="The residual stream of five tokens", description=DESCRIPTION)
    lanes = [LEFT + STEP * number for number in range(len(LANES))]
    d.box(lanes[0] - 34, 356, lanes[-1] - lanes[0] + 68, 56, colour=BLUE, strength=0.2, radius=10)
    for x, token in zip(lanes, LANES, strict=True):
        d.arrow((x, BOTTOM), (x, TOP), colour=INK, width=3.4)
        d.plus(x, 322)
        ffn = d.box(x + 17, 216, 52, 32, "FFN", colour=GREEN, strength=0.25, size=SMALL)
        d.arrow((x, 268), (x + 43, 268), ffn.bottom, colour=GREEN)
        d.arrow(ffn.top, (x + 43, 178), (x + 12, 178), colour=GREEN)
        d.plus(x, 178)
        for y in (292, 146):
            d.box(x - 15, y - 5, 30, 10, colour=ORANGE, strength=0.6, radius=3)
        d.box(x - 40, BOTTOM, 80, 32, token, strength=0.2 if token.startswith("[") else 0.04)
        d.text(x, 28, "*y*")
    d.arrow((lanes[2] + 4, 384), (lanes[4] - 4, 384), colour=BLUE, width=3.4)
    d.text((lanes[3] + lanes[4]) / 2, 370, "plural", size=SMALL)
    d.text((lanes[0] + lanes[1]) / 2, 384, "attention", size=14, bold=True)
    right = 614
    for y, colour, words in (
        (146, ORANGE, "LayerNorm\nrescales the lane"),
        (214, GREEN, "FFN computes\nwithin a lane"),
        (292, ORANGE, "LayerNorm"),
        (384, BLUE, "Attention moves\nbetween lanes"),
        (486, INK, "embeddings"),
    ):
        d.arrow((right - 14, y - 22), (right - 14, y + 22), colour=colour, head=False, width=3)
        d.text(right, y, words, anchor="start", colour=INK, size=14)
    d.text(right, 62, "to the next layer", anchor="start", colour=MUTED, size=14)
    return d


if __name__ == "__main__":
    draw().save(__file__)
