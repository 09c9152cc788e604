"""A pencil for the book's concept drawings: boxes, arrows and formulas, written as SVG by hand.

Text stays text, so a reader can search it and a screen reader can read it; the fonts are asked for in families whose
letters are equally wide on every system, so a label fits its box everywhere. The background is opaque and the ink dark:
the drawing is the same card on a light and on a dark page. Numbers are rounded, nothing is random, nothing is dated:
the same script writes the same bytes.

Labels know four marks: `*x*` is a variable, `_{i}` and `^{T}` are set low and high, and backticks are code.
"""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

# The seven colours of Okabe and Ito, which colour-blind readers can tell apart; boxes are filled with tints of them.
BLUE, ORANGE, GREEN, RED = "#0072b2", "#e69f00", "#009e73", "#d55e00"
PINK, SKY, YELLOW = "#cc79a7", "#56b4e9", "#f0e442"
INK, MUTED, LINE, PAPER, GREY = "#1f2933", "#52606d", "#52606d", "#ffffff", "#8a97a3"

SANS = "Helvetica, Arial, 'Liberation Sans', sans-serif"
SERIF = "'Times New Roman', Times, 'Liberation Serif', serif"
MONO = "'Courier New', 'Liberation Mono', Courier, monospace"

WIDTH = 800  # of every drawing, so that a size means the same in all
SMALL, NORMAL, LARGE = 13, 15, 19  # at 700 pixels on the page, SMALL is 8.5 pt
MARK_SIZE = 12.2  # of the low and high letters, at least: 8 pt
LEADING = 1.28
MARK = re.compile(r"\*(?P<var>[^*]+)\*|_\{(?P<low>[^}]+)\}|\^\{(?P<high>[^}]+)\}|`(?P<code>[^`]+)`")

Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle on the paper, from which arrows start and in which they end."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> Point:
        """The middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def top(self) -> Point:
        """The middle of the upper edge."""
        return self.x + self.width / 2, self.y

    @property
    def bottom(self) -> Point:
        """The middle of the lower edge."""
        return self.x + self.width / 2, self.y + self.height

    @property
    def left(self) -> Point:
        """The middle of the left edge."""
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> Point:
        """The middle of the right edge."""
        return self.x + self.width, self.y + self.height / 2


class Drawing:
    """A sheet of paper with a title and a description for those who cannot see it."""

    def __init__(self, height: float, *, title: str, description: str) -> None:
        """Start an empty sheet, `WIDTH` units wide."""
        self.height = height
        self.title = title
        self.description = " ".join(description.split())
        self.parts: list[str] = []

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        label: str = "",
        *,
        colour: str = GREY,
        strength: float = 0.16,
        size: float = NORMAL,
        bold: bool = False,
        dashed: bool = False,
        radius: float = 6,
        edge: float = 1.5,
    ) -> Box:
        """A rounded box with a label in its middle; `strength` is the share of colour in its filling."""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}" '
            f'fill="{tint(colour, strength)}" stroke="{colour}" stroke-width="{_n(edge)}"{dash}/>'
        )
        if label:
            self.text(x + width / 2, y + height / 2, label, size=size, bold=bold)
        return Box(x, y, width, height)

    def text(
        self,
        x: float,
        y: float,
        label: str,
        *,
        size: float = NORMAL,
        anchor: str = "middle",
        bold: bool = False,
        colour: str = INK,
        turned: bool = False,
    ) -> None:
        """Lines of text, centred vertically on `y`; `turned` text reads upwards."""
        lines = label.split("\n")
        weight = ' font-weight="bold"' if bold else ""
        turn = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turned else ""
        for number, line in enumerate(lines):
            middle = y + (number - (len(lines) - 1) / 2) * size * LEADING
            self.parts.append(
                f'<text x="{_n(x)}" y="{_n(middle + 0.35 * size)}" font-size="{_n(size)}" text-anchor="{anchor}" '
                f'fill="{colour}"{weight}{turn}>{_marked(line, size)}</text>'
            )

    def arrow(
        self, *points: Point, colour: str = LINE, dashed: bool = False, head: bool = True, width: float = 1.8
    ) -> None:
        """A line through the points with round corners, and a head at its end."""
        path, (end_x, end_y) = list(points), points[-1]
        dx, dy = _direction(points[-2], points[-1])
        if head:
            path[-1] = (end_x - 7 * dx, end_y - 7 * dy)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(
            f'<path d="{_rounded(path)}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{dash}/>'
        )
        if head:
            wings = [
                (end_x - 9 * dx - 4.5 * dy, end_y - 9 * dy + 4.5 * dx),
                (end_x - 9 * dx + 4.5 * dy, end_y - 9 * dy - 4.5 * dx),
            ]
            corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in [(end_x, end_y), *wings])
            self.parts.append(f'<polygon points="{corners}" fill="{colour}"/>')

    def plus(self, x: float, y: float, *, radius: float = 11) -> Box:
        """The sign for a sum."""
        self.parts.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{PAPER}" stroke="{INK}" stroke-width="1.5"/>'
        )
        arm = radius * 0.55
        cross = f"M{_n(x - arm)} {_n(y)}H{_n(x + arm)}M{_n(x)} {_n(y - arm)}V{_n(y + arm)}"
        self.parts.append(f'<path d="{cross}" stroke="{INK}" stroke-width="1.8" fill="none"/>')
        return Box(x - radius, y - radius, 2 * radius, 2 * radius)

    def circle(self, x: float, y: float, radius: float, label: str, *, colour: str) -> None:
        """A bold label in a disc."""
        self.parts.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{tint(colour, 0.3)}" '
            f'stroke="{colour}" stroke-width="1.5"/>'
        )
        self.text(x, y, label, bold=True)

    def dot(self, x: float, y: float) -> None:
        """The mark where a line forks."""
        self.parts.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="3.2" fill="{LINE}"/>')

    def matrix(
        self,
        x: float,
        y: float,
        cells: Sequence[Sequence[float]],
        *,
        colour: str,
        size: float = 24,
        labels: Sequence[Sequence[str]] = (),
    ) -> Box:
        """A table of squares, each filled by its value between 0 and 1, with a label in each if labels are given."""
        box = Box(x, y, size * len(cells[0]), size * len(cells))
        for i, row in enumerate(cells):
            for j, value in enumerate(row):
                left, top = x + j * size, y + i * size
                self.parts.append(
                    f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(size)}" height="{_n(size)}" '
                    f'fill="{tint(colour, 0.05 + 0.6 * value)}" stroke="{PAPER}" stroke-width="1.5"/>'
                )
                if labels:
                    self.text(left + size / 2, top + size / 2, labels[i][j], size=SMALL)
        self.parts.append(
            f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}" '
            f'fill="none" stroke="{colour}" stroke-width="1.5"/>'
        )
        return box

    def to_svg(self) -> str:
        """The drawing as a file's content."""
        view = f'viewBox="0 0 {WIDTH} {_n(self.height)}" width="{WIDTH}" height="{_n(self.height)}"'
        name = 'role="img" aria-labelledby="title desc"'
        head = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {view} {name} font-family="{SANS}">',
            f'<title id="title">{escape(self.title)}</title>',
            f'<desc id="desc">{escape(self.description)}</desc>',
            f'<rect width="{WIDTH}" height="{_n(self.height)}" rx="10" fill="{PAPER}"/>',
        ]
        return "\n".join([*head, *self.parts, "</svg>"]) + "\n"

    def save(self, script: str) -> None:
        """Write the SVG beside the script that drew it."""
        Path(script).with_suffix(".svg").write_text(self.to_svg(), encoding="utf-8", newline="\n")


def tint(colour: str, share: float) -> str:
    """A colour thinned with white.

    >>> tint("#0072b2", 0.5)
    '#80b8d8'
    """
    channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{int(255 - share * (255 - channel) + 0.5):02x}" for channel in channels)


def _n(number: float) -> str:
    """A coordinate in few letters."""
    return f"{number:.1f}".removesuffix(".0")


def _direction(start: Point, end: Point) -> Point:
    """The unit vector from one point to another."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = (dx * dx + dy * dy) ** 0.5
    return dx / length, dy / length


def _rounded(points: Sequence[Point], radius: float = 8) -> str:
    """A path through the points, whose corners are quarter curves."""
    path = f"M{_n(points[0][0])} {_n(points[0][1])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        inwards, outwards = _direction(corner, before), _direction(corner, after)
        first = f"{_n(corner[0] + radius * inwards[0])} {_n(corner[1] + radius * inwards[1])}"
        second = f"{_n(corner[0] + radius * outwards[0])} {_n(corner[1] + radius * outwards[1])}"
        path += f"L{first}Q{_n(corner[0])} {_n(corner[1])} {second}"
    return path + f"L{_n(points[-1][0])} {_n(points[-1][1])}"


def _marked(line: str, size: float) -> str:
    """A line of a label with its marks turned into spans."""
    done, shift, parts = 0, 0.0, []
    for match in MARK.finditer(line):
        parts.append(_span(line[done : match.start()], "", -shift))
        shift = shift if match.start() == done else 0.0
        kind, text = match.lastgroup, match[match.lastgroup or 0]
        if kind in {"low", "high"}:
            offset = (0.22 if kind == "low" else -0.34) * size
            inner = f' font-family="{SERIF}" font-style="italic"' if text.isalpha() and len(text) == 1 else ""
            parts.append(_span(text, f' font-size="{_n(max(0.82 * size, MARK_SIZE))}"{inner}', offset - shift))
            shift = offset
        else:
            style = f'font-family="{SERIF}" font-style="italic"' if kind == "var" else f'font-family="{MONO}"'
            parts.append(_span(text, f" {style}", -shift))
            shift = 0.0
        done = match.end()
    parts.append(_span(line[done:], "", -shift))
    return "".join(parts)


def _span(text: str, style: str, shift: float) -> str:
    """A run of letters in one style, set lower by `shift` than what stands before it."""
    if not text:
        return ""
    move = f' dy="{_n(shift)}"' if shift else ""
    letters = escape(text, quote=False).replace(" ", "\N{NO-BREAK SPACE}")  # blanks at a span's edge would be dropped
    return f"<tspan{style}{move}>{letters}</tspan>" if style or move else letters
