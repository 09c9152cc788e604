"""Attention as a soft look-up: one word asks, every word offers a key, and the answer is a weighted mean of values."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, PINK, RED, SMALL, Drawing
from figures.scaled_dot_product_attention import KEYS, QUERIES, TOKENS, VALUES, mixed, weights

ASKING = TOKENS.index("bank")
DESCRIPTION = """
Attention as a soft look-up in the sentence "the bank was wet". The word bank asks with its query: state 4, noun 0,
river 0.5, office 0.5. Every word of the sentence, bank itself included, offers a key: wet offers state 1 and river 1,
bank offers noun 1, river 0.5 and office 0.5, the and was offer next to nothing. How well a key fits the query becomes a
weight: 0.08 for the, 0.10 for bank, 0.12 for was and 0.71 for wet, drawn as arrows of that width to the values. Each
value is what a word hands over, its river and its office. Their weighted mean is the new vector of bank: river 0.79,
office 0.07.
"""
LEFT, STEP, WIDE = 148, 164, 148


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(520, title="Attention is a soft look-up", description=DESCRIPTION)
    middles = [LEFT + column * STEP + WIDE / 2 for column in range(len(TOKENS))]
    right = middles[-1] + WIDE / 2
    for y, name, note in (
        (38, "The sentence", ""),
        (112, "A query", "what *bank* seeks"),
        (208, "Keys", "what each\nhas to offer"),
        (290, "Weights", "how well\nthe key fits"),
        (368, "Values", "what each\nhands over"),
        (470, "The answer", "a weighted mean"),
    ):
        lines = note.count("\n") + bool(note)
        d.text(20, y - 9 * lines, name, anchor="start", bold=True)
        if note:
            d.text(20, y + (13, 16)[lines - 1], note, anchor="start", size=SMALL, colour=MUTED)

    state, noun, river, office = map(_, QUERIES[ASKING])
    seeks = f"state {state}     noun {noun}     river {river}     office {office}"
    query = d.box(LEFT, 94, right - LEFT, 36, seeks, colour=ORANGE, strength=0.3)
    answer = d.box(LEFT, 450, right - LEFT, 40, colour=RED, strength=0.16)
    for column, (word, x) in enumerate(zip(TOKENS, middles, strict=True)):
        asks, weight = column == ASKING, weights()[ASKING][column]
        d.box(
            x - WIDE / 2, 22, WIDE, 32, word, colour=ORANGE if asks else GREY, strength=0.3 if asks else 0.1, bold=asks
        )
        if asks:
            d.arrow((x, 54), (x, 92), colour=ORANGE, width=2.4)
        state, noun, river, office = map(_, KEYS[column])
        offers = f"state {state}   noun {noun}\nriver {river}   office {office}"
        key = d.box(x - WIDE / 2, 184, WIDE, 50, offers, colour=GREEN, size=14)
        d.arrow((x, query.y + query.height), (x, key.y - 2), colour=ORANGE, width=1.4)
        d.arrow((x, 236), (x, 266), head=False, colour=BLUE, width=1 + 14 * weight)
        d.text(x, 284, f"{weight:.2f}".removeprefix("0"), size=18, bold=True, colour=INK)
        d.arrow((x, 302), (x, 342), head=False, colour=BLUE, width=1 + 14 * weight)
        river, office = map(_, VALUES[column])
        value = d.box(x - WIDE / 2, 344, WIDE, 36, f"river {river}   office {office}", colour=PINK, size=14)
        d.arrow((x, value.y + value.height), (x, answer.y), head=False, colour=BLUE, width=1 + 14 * weight)
    into = "the new vector of *bank*:  river {:.2f},  office {:.2f}".format(*mixed()[ASKING])
    d.text(*answer.centre, into)
    return d


def _(number: float) -> str:
    """A number as the boxes show it."""
    return f"{number:g}"


if __name__ == "__main__":
    draw().save(__file__)
