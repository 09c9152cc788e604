"""Greedy longest match on one word: a window that closes from the right until it fits, and then begins anew."""

from figures.drawing import BLUE, GREY, MUTED, ORANGE, SMALL, Drawing

WORD = "unbelievable"
PIECES = ("unb", "##el", "##ie", "##v", "##able")
DESCRIPTION = """
The word "unbelievable", twelve letters in a row, is cut in five rounds. In each round a window covers all the letters
that are left and closes from the right, one letter at a time, until what it covers is a piece of the vocabulary. Round
one: ten tries, from "unbelievable" down to "unb", which fits. Round two: eight tries, down to "##el". Round three: six
tries, "##ie". Round four: five tries, "##v". Round five: one try, "##able". The pieces are unb, ##el, ##ie, ##v,
##able. "un" is a piece, too, but "unb" is longer; and "believe" is a piece at the beginning of a word only.
"""
LEFT, CELL, TOP, STEP = 96, 37, 56, 46


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(322, title="Greedy longest match, round by round", description=DESCRIPTION)
    d.text(20, 22, "Greedy longest match", anchor="start", bold=True)
    note = "the window closes from the right until it covers a piece, then starts anew"
    d.text(220, 22, note, anchor="start", size=SMALL, colour=MUTED)
    start = 0
    for number, piece in enumerate(PIECES):
        end = start + len(piece.removeprefix("##"))
        y = TOP + number * STEP
        d.text(20, y + 15, f"round {number + 1}", anchor="start", size=SMALL, colour=MUTED)
        for place, letter in enumerate(WORD):
            x = LEFT + place * CELL
            taken, fits = place < start, start <= place < end
            colour = ORANGE if number and fits else BLUE if fits else GREY
            d.box(x, y, CELL - 4, 30, "" if taken else letter, colour=colour, strength=0.3 if fits else 0.03,
                  dashed=not fits, radius=4, edge=2 if fits else 1)  # fmt: skip
        tries = len(WORD) - end + 1
        if tries > 1:
            d.arrow((LEFT + len(WORD) * CELL - 4, y + 37), (LEFT + end * CELL - 2, y + 37), colour=GREY, width=1.4)
        d.text(556, y + 15, piece, anchor="start", bold=True)
        d.text(640, y + 15, f"{tries} {'tries' if tries > 1 else 'try'}", anchor="start", size=SMALL, colour=MUTED)
        start = end
    note = "un is a piece, too, but unb is longer; and believe is one at the beginning of a word only"
    d.text(LEFT, 304, note, anchor="start", size=SMALL)
    return d


if __name__ == "__main__":
    draw().save(__file__)
