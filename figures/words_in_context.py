"""One vector per word, and one per occurrence: where bank lands among the words of river and office."""

from figures.drawing import BLUE, GREY, INK, MUTED, ORANGE, SMALL, Box, Drawing

RIVER, OFFICE = BLUE, ORANGE
SENTENCES = ("ada saw the *bank*\non the river.", "hugo saw the *bank*\nat the office.")
DESCRIPTION = """
Two halves. Left, "One vector per word": the sentences "ada saw the bank on the river." and "hugo saw the bank at the
office." both look bank up in one table, and both get the same point on a map of words. On the map, boat, heron and
bridge form a group of river words, letter and desk a group of office words; the one point of bank lies with the river
words, slightly towards the office. Right, "One vector per occurrence": the same two sentences go through a model that
reads the whole sentence. The first bank lands among boat, heron and bridge, the second one among letter and desk.
"""
HALF, MAP_Y, MAP_HEIGHT = 376, 188, 196
PLACES = {"boat": (52, 40), "heron": (44, 92), "bridge": (86, 140), "letter": (322, 66), "desk": (316, 138)}


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(396, title="One vector per word, and one per occurrence", description=DESCRIPTION)
    apart_banks = [(112, 72, RIVER), (258, 104, OFFICE)]
    for left, heading, middle, banks in (
        (8, "One vector per word", "a table: look up *bank*", [(136, 92, RIVER)]),
        (416, "One vector per occurrence", "a model that reads the whole sentence", apart_banks),
    ):
        d.text(left + HALF / 2, 18, heading, size=17, bold=True)
        tops = [
            d.box(left + number * 190, 38, 186, 46, sentence, colour=colour, strength=0.12, size=14)
            for number, (sentence, colour) in enumerate(zip(SENTENCES, (RIVER, OFFICE), strict=True))
        ]
        wide = d.box(left + 38, 108, 300, 34, middle, colour=INK, strength=0.08, size=14)
        paper = d.box(left, MAP_Y, HALF, MAP_HEIGHT, colour=GREY, strength=0.04)
        for top, colour in zip(tops, (RIVER, OFFICE), strict=True):
            d.arrow(top.bottom, (top.centre[0], wide.y), colour=colour, width=2.2)
        for word, (x, y) in PLACES.items():
            colour = RIVER if x < 200 else OFFICE
            put(d, paper, x, y, word, colour, bold=False)
        d.text(left + 84, MAP_Y + MAP_HEIGHT - 16, "river words", size=SMALL, colour=MUTED)
        d.text(left + 300, MAP_Y + MAP_HEIGHT - 16, "office words", size=SMALL, colour=MUTED)
        lines = [(tops[0], RIVER, banks[0]), (tops[1], OFFICE, banks[-1])]
        for number, (top, colour, (x, y, _)) in enumerate(lines):
            apart = 0 if len(banks) == 2 else (-5, 5)[number]
            start = (top.centre[0], wide.y + wide.height)
            end = paper.x + x + apart
            d.arrow(start, (start[0], 164), (end, 164), (end, paper.y + y - 14), colour=colour, width=2.2)
        for x, y, colour in banks:
            put(d, paper, x, y, "bank", colour if len(banks) == 2 else INK, bold=True)
    return d


def put(d: Drawing, paper: Box, x: float, y: float, word: str, colour: str, *, bold: bool) -> None:
    """A word on the map, in a box of its own."""
    width, strength, edge = (58, 0.3, 2.4) if bold else (54, 0.12, 1.2)
    left, top = paper.x + x - width / 2, paper.y + y - 13
    d.box(left, top, width, 26, word, colour=colour, strength=strength, size=14, bold=bold, edge=edge)


if __name__ == "__main__":
    draw().save(__file__)
