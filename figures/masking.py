"""BERT's corruption: one sentence meets all three fates, and the loss looks at the selected places alone."""

from figures.drawing import GREY, INK, MUTED, PINK, RED, SKY, SMALL, Drawing

WORDS = ("[CLS]", "bruno", "fixed", "the", "old", "lamp", "at", "dawn", ".", "[SEP]")
# column: what BERT reads there, the fate in words, its colour
FATES = {
    2: ("[MASK]", "8 in 10:\nhidden", PINK),
    4: ("heron", "1 in 10:\nany word", RED),
    7: ("dawn", "1 in 10:\nunchanged", SKY),
}
DESCRIPTION = """
The sentence "bruno fixed the old lamp at dawn ." between [CLS] and [SEP], one box per token. A coin selects each word
with probability 0.15, and here it selects three, which meet the three fates: "fixed" is hidden and becomes [MASK]
(8 in 10), "old" becomes another word, "heron" (1 in 10), and "dawn" stays unchanged (1 in 10). BERT reads: [CLS] bruno
[MASK] the heron lamp at dawn . [SEP]. The labels are the original words fixed, old and dawn at the selected places, and
-100 everywhere else, also at [CLS] and [SEP], which are never selected. The loss is the mean of minus ln q(fixed),
minus ln q(old) and minus ln q(dawn); no other place counts.
"""
LEFT, STEP, WIDE, TALL = 20, 76.4, 70, 32


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(470, title="BERT's corruption and what is scored", description=DESCRIPTION)
    middles = [LEFT + column * STEP + WIDE / 2 for column in range(len(WORDS))]
    for y, name, note in (
        (20, "The text", "each word is selected with probability 0.15; special tokens never"),
        (184, "What BERT reads", "nothing tells it which visible words were selected"),
        (330, "The labels", "the original word where selected, -100 elsewhere"),
    ):
        d.text(LEFT, y, name, anchor="start", bold=True)
        d.text(LEFT + 160, y, note, anchor="start", size=SMALL, colour=MUTED)

    for column, (word, x) in enumerate(zip(WORDS, middles, strict=True)):
        seen, fate, colour = FATES.get(column, (word, "", GREY))
        special = word.startswith("[")
        strength = 0.3 if fate else 0.16 if special else 0.03
        d.box(x - WIDE / 2, 36, WIDE, TALL, word, colour=colour if fate else GREY, strength=strength, size=14)
        d.box(x - WIDE / 2, 200, WIDE, TALL, seen, colour=colour, strength=strength, size=14, bold=bool(fate))
        d.box(x - WIDE / 2, 346, WIDE, TALL, word if fate else "-100", colour=colour, strength=strength, size=14,
              dashed=not fate)  # fmt: skip
        if fate:
            d.arrow((x, 68), (x, 92), colour=colour, width=2.4)
            d.box(x - 48, 92, 96, 48, fate, colour=colour, strength=0.12, size=SMALL)
            d.arrow((x, 140), (x, 166), colour=colour, width=2.4)
            d.arrow((x, 378), (x, 412), colour=colour, width=2.4)
        else:
            d.arrow((x, 68), (x, 166), colour="#c8d0d8", head=False, width=1.2)
    bert = d.box(LEFT, 254, middles[-1] + WIDE / 2 - LEFT, 46, "BERT: at each place a probability *q* for every word",
                 colour=INK, strength=0.08)  # fmt: skip
    for x in middles:
        d.arrow((x, 232), (x, bert.y), width=1.4)
    loss = "loss = mean of  -ln *q*(fixed),  -ln *q*(old),  -ln *q*(dawn),  and of nothing else"
    d.box(LEFT + STEP, 412, 7 * STEP + WIDE, 42, loss, strength=0.1)
    return d


if __name__ == "__main__":
    draw().save(__file__)
