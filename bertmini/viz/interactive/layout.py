"""How high the explorer's page is at a given width, so that its frame never scrolls inside the notebook that scrolls.

A page in a sandboxed frame can neither see nor change how high the frame is. But whoever makes it knows its content:
how many heads, how many tokens and how long, and explorer.css. Text is reckoned a little wider than it is, since fonts
differ; tests/test_viz_interactive_explorer_page.py holds the reckoning against a browser.

All numbers are CSS pixels. Taught in chapter 13.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

WIDTHS = (320, 420, 540, 640, 720, 790, 862, 930, 1000, 1120, 1252, 1322, 1400)  # of the frame: from each on its height
TWO_COLUMNS, TWO_WIDE, THREE_COLUMNS = 862, 1252, 1322  # as in explorer.css, with the frame's border
THIRD = 435  # width of the third column
WIDEST = 420  # a left column that is wider needs more room beside it
LINE, LETTER = 21, 7.5  # of running text
ROW = 24  # of a table
CONTROLS = (365, 340, 130, 325)  # step, show, as, at the tokens
FACTS = (250, 8 * ROW + 8)  # width and height of a head's numbers


def heights(data: dict[str, Any]) -> dict[int, int]:
    """The height from each width on, for what `explore` gives its page: that of its highest text."""
    return {width: max(_page(data, text, width) for text in data["texts"]) for width in WIDTHS}


def _page(data: dict[str, Any], text: dict[str, Any], width: int) -> int:
    inner = width - 18  # border and padding
    names = [LETTER * max(len(each["name"]) for each in data["texts"]) + 90] if len(data["texts"]) > 1 else []
    bar = _wrapped([*names, *CONTROLS], inner, gap=16) * 34
    said = sum(_letters_said(side, data["words"]) for side in text["sides"])
    both = len(text["sides"]) > 1
    if not both:
        sides = _alone(data, text["sides"][0], width, inner)
    else:
        beside = width >= TWO_COLUMNS
        columns = [30 + _stacked(data, side, (inner - 24) // 2 if beside else inner) for side in text["sides"]]
        sides = max(columns) if beside else sum(columns)
    note = 22 + LINE * _lines(len(data["note"]), inner)
    return round(1.02 * (16 + bar + 28 + LINE * _lines(said, inner - 14) + sides + note + 12))


def _alone(data: dict[str, Any], side: dict[str, Any], width: int, inner: int) -> float:
    """The height of a side that has the page to itself, in one, two or three columns."""
    left = max(_heads(side)[0], 250)
    if width < (TWO_WIDE if left > WIDEST else TWO_COLUMNS):
        return _stacked(data, side, inner)
    three = width >= THREE_COLUMNS and left <= WIDEST and (_has_guesses(side) or _found(data, side) is not None)
    overview = _heads(side)[1] + 6 + FACTS[1]
    picture = _picture(side, inner - left - 24 - (24 + THIRD if three else 0))
    if three:
        return max(overview, picture, _without(side, data["words"], THIRD) + 4 + _found_height(data, side, THIRD))
    return max(overview + 4 + _without(side, data["words"], left), picture) + 4 + _found_height(data, side, inner)


def _stacked(data: dict[str, Any], side: dict[str, Any], room: float) -> float:
    """The height of a side's parts one under the other."""
    heads = _heads(side)
    beside = heads[0] + 16 + FACTS[0] <= room
    overview = max(heads[1], FACTS[1]) if beside else heads[1] + 6 + FACTS[1]
    return overview + _picture(side, room) + _without(side, data["words"], room) + _found_height(data, side, room) + 12


def _heads(side: dict[str, Any]) -> tuple[float, float]:
    """Width and height of the small pictures."""
    many = side["heads"] > 8
    size, gap = (42, 2) if many else (64, 4)
    return 56 + side["heads"] * (size + 6 + gap), side["layers"] * (size + 2 + 30 + 6 + 6) + 8


def _picture(side: dict[str, Any], room: float) -> float:
    """The tokens, the largest of heat map, numbers and words, a line below it, and the buttons."""
    tokens: list[str] = side["tokens"]
    chips = [
        max(26.0, 8.6 * len(token) + 12) + (18 if place == side["second"] else 0) for place, token in enumerate(tokens)
    ]
    words = 330 + len(" ".join(tokens)) + 3 * (2 * max(map(len, tokens)) + 30)
    shown = max(
        map_height(tokens, room - 16) + 8,
        19 * (len(tokens) + 1) + 33,
        LINE * _lines(words, min(room, 660)) + 16,
    )
    return 49 * _wrapped(chips, room - 8, gap=5) + 8 + shown + 29 + 44


def map_height(tokens: Sequence[str], room: float) -> int:
    """The height of the heat map in a given width, as mapSize in explorer.js has it."""
    margin = 10 + 7.8 * min(14, max(map(len, tokens)))
    cell = max(10, min(30, 480 // len(tokens), math.floor((room - 1.55 * margin - 2) / len(tokens))))
    return math.ceil(margin * 0.9 + 22) + cell * len(tokens) + 4


def _without(side: dict[str, Any], words: Sequence[str], room: float) -> float:
    """The guesses without a head."""
    if not _has_guesses(side):
        return 0
    most = max(len(whole) // 2 for _, _, _, places, _ in side["steps"] for _, whole, _ in places)
    lists = (most + 1) * ROW + 8
    table = max(140 + LETTER * max(map(len, words)), 175)
    height: float = (
        LINE + 12 + (lists if room >= 2 * table + 12 else 2 * lists + 6) + (side["layers"] + 2) * ROW + 8 + 8 + 15
    )
    return height


def _found_height(data: dict[str, Any], side: dict[str, Any], room: float) -> float:
    """The places where a head fires in a corpus: those of the head that needs most."""
    found = _found(data, side)
    if found is None:
        return 0

    def lines(pattern: str, firings: list[list[Any]]) -> float:
        texts = [found["texts"][text] for text, *_ in firings]
        said = [len(" ".join(text)) + 5 * len(text) / 4 + 2 * max(map(len, text)) + 12 for text in texts]
        return LINE * _lines(130 + len(pattern), room) + sum(LINE * _lines(letters, room - 24) + 5 for letters in said)

    return LINE + 12 + max(lines(*head) for head in found["heads"]) + 20


def _found(data: dict[str, Any], side: dict[str, Any]) -> dict[str, Any] | None:
    """What was found in a corpus, at the last step that has any."""
    numbers = [step[4] for step in side["steps"] if step[4] is not None]
    return data["found"][numbers[-1]] if numbers else None


def _has_guesses(side: dict[str, Any]) -> bool:
    return any(step[3] for step in side["steps"])


def _letters_said(side: dict[str, Any], words: Iterable[str]) -> int:
    """The length of the longest sentence that a side can say."""
    token = max(map(len, side["tokens"])) + 11
    heading = 45 + max(len(facts[0]) for _, _, all_facts, _, _ in side["steps"] for facts in all_facts)
    guess = token + 45 + 2 * (max(map(len, words)) + 9) if _has_guesses(side) else 0
    return len(side["name"]) + heading + 4 * token + 25 + guess


def _lines(letters: float, room: float) -> int:
    return max(1, math.ceil(letters * LETTER / max(room, 60)))


def _wrapped(widths: Sequence[float], room: float, *, gap: float) -> int:
    """How many lines boxes of these widths need."""
    lines, used = 1, 0.0
    for width in widths:
        if used and used + gap + width > room:
            lines, used = lines + 1, 0.0
        used += width + (gap if used else 0)
    return lines
