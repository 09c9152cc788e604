"""Three ways to read a sentence with a blank: from the left, two one-sided readers side by side, both in each layer."""

from figures.drawing import BLUE, GREEN, GREY, INK, MUTED, ORANGE, SMALL, Drawing, Point

WORDS = ("ada", "often", "?", "maps", "at", "dawn")
DESCRIPTION = """
Three panels, each with the words ada, often, a blank, maps, at, dawn in a row at the bottom and states above them. From
the left only: arrows between states run to the right alone; the state at the blank has heard ada and never dawn. Two
readers side by side: a row of states whose arrows run to the right brings ada to the blank, another row whose arrows
run to the left brings dawn there, and the two states meet only in a sum above them. Both in each layer: arrows run from
all six words below to the state at the blank, thick ones from ada and dawn, so that they meet there inside the model; a
second layer does the same with the states of the first before the answer.
"""
STEP, TOP = 41.0, 64.0
LEFTS = (14.0, 280.0, 546.0)


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(330, title="Three ways to read a sentence with a blank", description=DESCRIPTION)
    panels = {
        "From the left only": "the blank hears ada,\nnever dawn",
        "Side by side": "each hears one clue;\nthey meet in a sum",
        "Both in each layer": "ada and dawn meet inside\n(drawn for the blank only)",
    }
    for left, (heading, note) in zip(LEFTS, panels.items(), strict=True):
        d.text(left + 120, 18, heading, size=17, bold=True)
        d.text(left + 120, 304, note, size=SMALL, colour=MUTED)
        for place, word in enumerate(WORDS):
            d.text(left + 20 + place * STEP, 262, word, size=14, bold=word in ("ada", "?", "dawn"))
    row(d, LEFTS[0], 210, right=True)
    d.arrow(at(LEFTS[0], 2, 199), at(LEFTS[0], 2, 92), colour=BLUE, width=2.4)
    answer(d, LEFTS[0], BLUE, "?")

    row(d, LEFTS[1], 225, right=True)
    row(d, LEFTS[1], 170, left_=True)
    plus = d.plus(*at(LEFTS[1], 2, 118))
    d.arrow(at(LEFTS[1], 2, 159), (plus.centre[0], plus.y + plus.height), colour=ORANGE, width=2.4)
    x, _ = at(LEFTS[1], 2, 0)
    d.arrow((x - 11, 219), (x - 22, 205), (x - 22, 118), (plus.x, 118), colour=BLUE, width=2.4)
    d.arrow((plus.centre[0], plus.y), at(LEFTS[1], 2, 92), colour=INK)
    answer(d, LEFTS[1], GREY, "?")

    for low, high in ((225, 175), (175, 125)):
        for place in sorted(range(len(WORDS)), key=lambda place: WORDS[place] in ("ada", "dawn")):  # those two on top
            clue = WORDS[place] in ("ada", "dawn")
            x, end = at(LEFTS[2], place, low)[0], at(LEFTS[2], 2, high)[0]
            d.arrow((x, low - 10), (end + (place - 2) * 4, high + (10 if place == 2 else 8)), head=clue,
                    colour=GREEN if clue else "#c8d0d8", width=2.2 if clue else 1.2)  # fmt: skip
    for y in (225, 175):
        row(d, LEFTS[2], y)
    x, _ = at(LEFTS[2], 2, 0)
    d.box(x - 10, 115, 20, 20, colour=GREEN, strength=0.55, radius=10)
    d.arrow(at(LEFTS[2], 2, 114), at(LEFTS[2], 2, 92), colour=GREEN, width=2.4)
    answer(d, LEFTS[2], GREEN, "reads")
    return d


def at(left: float, place: int, y: float) -> Point:
    """The middle of a word's column."""
    return left + 20 + place * STEP, y


def answer(d: Drawing, left: float, colour: str, word: str) -> None:
    """What comes out above the blank."""
    x, _ = at(left, 2, 0)
    d.box(x - 30, TOP, 60, 28, word, colour=colour, strength=0.25, size=14, bold=True)


def row(d: Drawing, left: float, y: float, *, right: bool = False, left_: bool = False) -> None:
    """A row of states, with arrows between neighbours to one side or without; its colour says what is heard."""
    for place in range(len(WORDS)):
        x, _ = at(left, place, y)
        colour = BLUE if right else ORANGE if left_ else GREEN
        d.box(x - 10, y - 10, 20, 20, colour=colour, strength=0.55 if place == 2 else 0.2, radius=10)
        if place + 1 < len(WORDS):
            ends = (x + 10, y), (x + STEP - 10, y)
            if right:
                d.arrow(*ends, colour=BLUE, width=1.6)
            if left_:
                d.arrow(ends[1], ends[0], colour=ORANGE, width=1.6)


if __name__ == "__main__":
    draw().save(__file__)
