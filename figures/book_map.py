"""The map of the book: six parts, twenty-three chapters, and in which order to read them."""

from figures.drawing import BLUE, GREEN, MUTED, ORANGE, PINK, RED, SKY, SMALL, Drawing
from figures.outline import CHAPTERS, OUTLINE, written

COLOURS = (BLUE, ORANGE, GREEN, PINK, RED, SKY)
ASKED = (
    "What is a BERT?",
    "How does it learn?",
    "What is it good for?",
    "What happens in it?",
    "How to do better?",
    "Is it true?",
)
ORDER = "Read I and II first and in order; then III, IV and V in any order, and VI at any time."
UNWRITTEN = "Dashed: not written yet."
PARTS = [
    f"Part {part}: " + ", ".join(f"{chapter.number} {chapter.title}" for chapter in chapters) + "."
    for part, chapters in OUTLINE.items()
]
WRITTEN = written()
WAITING = ", ".join(chapter.number for chapter in CHAPTERS if chapter not in WRITTEN)
DESCRIPTION = " ".join(["The map of the book.", *PARTS, ORDER, *([f"Not written yet: {WAITING}."] if WAITING else [])])


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(668, title=f"The map of the book: {len(CHAPTERS)} chapters in six parts", description=DESCRIPTION)
    spine, left, right, height, gap, step = 44, 220, 780, 86, 7, 102
    for row, ((part, chapters), colour, asked) in enumerate(zip(OUTLINE.items(), COLOURS, ASKED, strict=True)):
        y = 20 + row * step
        numeral, _, name = part.partition(" ")
        d.box(spine, y, right + 8 - spine, height, colour=colour, strength=0.07, radius=10, edge=1)
        d.circle(spine, y + height / 2, 21, numeral, colour=colour)
        d.text(74, y + 32, name, anchor="start", bold=True)
        d.text(74, y + 56, asked, anchor="start", size=SMALL, colour=MUTED)
        columns = {2: 3.4, 3: 5}.get(len(chapters), len(chapters))
        width = (right - left - (columns - 1) * gap) / columns
        for column, chapter in enumerate(chapters):
            x = left + column * (width + gap)
            there = chapter in WRITTEN
            d.box(
                x, y + 8, width, height - 16, colour=colour, strength=0.2 if there else 0.02, edge=1.2, dashed=not there
            )
            d.text(x + width / 2, y + 24, chapter.number, size=14, bold=True)
            d.text(x + width / 2, y + 54, _two_lines(chapter.title, width), size=SMALL)
        if row < 2:
            d.arrow((spine, y + height / 2 + 22), (spine, y + step + height / 2 - 22), width=2.2)
    d.text(
        400,
        646,
        f"{ORDER} {UNWRITTEN}" if WAITING else ORDER,
        size=14,
        colour=MUTED,
    )
    return d


def _two_lines(title: str, width: float) -> str:
    """A title broken where its lines become most equal, if it is too long for one line."""
    if len(title) * 6.6 < width - 8:
        return title
    words = title.split()
    breaks = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    return "\n".join(min(breaks, key=lambda lines: max(map(len, lines)))) if breaks else title


if __name__ == "__main__":
    draw().save(__file__)
