"""One blank, three things that are easily mixed up, and what a loss is made of."""

from figures.drawing import BLUE, INK, MUTED, ORANGE, SMALL, Drawing

GUESS = {"wet": 0.45, "adrift": 0.30, "late": 0.15}  # an example: what a half-trained model might say
KNOWABLE = {"wet": 0.60, "adrift": 0.40, "late": 0.0}
TRUTH = {"wet": 0.0, "adrift": 1.0, "late": 0.0}
FLOOR, DISTANCE = 0.67, 0.29  # chapter 00 computes both
DESCRIPTION = """
The text is "ada saw the boats. the boats were [MASK]." Three cards stand below it. What the model guesses, as an
example: wet 0.45, adrift 0.30, late 0.15. What anyone could know from the text and the rules: wet 0.60, adrift 0.40,
late 0. What is true, in this text: adrift. Below, a bar of the mean cost over many such blanks, 0.96 nats, has two
parts: the floor, 0.67, which the text leaves open and nobody can get below, and the distance to it, 0.29, also called
KL, which this model has not learned yet. Training can remove the second part alone.
"""
LEFT, WIDE, GAP, FULL = 20, 240, 20, 130


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(436, title="What is guessed, what is known, what is true", description=DESCRIPTION)
    text = d.box(LEFT, 16, 760, 40, "ada saw the boats. the boats were `[MASK]`.", strength=0.06)
    cards = (
        ("What the model guesses", "one model, half trained", GUESS, BLUE),
        ("What anyone could know", "the exact odds, by the rules", KNOWABLE, INK),
        ("What is true", "the word that stood in this text", TRUTH, ORANGE),
    )
    for column, (name, note, odds, colour) in enumerate(cards):
        x = LEFT + column * (WIDE + GAP)
        d.arrow((x + WIDE / 2, text.y + text.height), (x + WIDE / 2, 86))
        d.box(x, 86, WIDE, 170, colour=colour, strength=0.04)
        d.text(x + WIDE / 2, 106, name, bold=True)
        d.text(x + WIDE / 2, 127, note, size=SMALL, colour=MUTED)
        for row, (word, share) in enumerate(odds.items()):
            y = 146 + 34 * row
            d.text(x + 62, y + 12, word, size=14, anchor="end")
            if share:
                d.box(x + 70, y, FULL * share, 24, colour=colour, strength=0.35, radius=2, dashed=colour == INK)
            label = "" if column == 2 else f"{share:.2f}" if share else "0"
            d.text(x + 76 + FULL * share, y + 12, label, size=14, anchor="start")

    scale, y = 760 / (FLOOR + DISTANCE), 322
    d.text(LEFT, 290, f"What the guesses cost, on average over many such blanks: {FLOOR + DISTANCE:.2f} nats",
           anchor="start", bold=True)  # fmt: skip
    floor = d.box(LEFT, y, FLOOR * scale, 46, f"the floor, {FLOOR:.2f}", colour=INK, strength=0.1, dashed=True)
    distance = d.box(LEFT + FLOOR * scale, y, DISTANCE * scale, 46, f"the distance (KL), {DISTANCE:.2f}", colour=BLUE,
                     strength=0.35)  # fmt: skip
    d.text(floor.centre[0], 396, "the text leaves it open:\nnobody can pay less", size=14, colour=MUTED)
    d.text(distance.centre[0], 396, "not learned yet:\ntraining can remove it", size=14, colour=MUTED)
    return d


if __name__ == "__main__":
    draw().save(__file__)
