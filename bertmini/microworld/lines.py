"""The lines of a grammar's text: `head = probability alternative | ...`, continued where a line is indented.

Probabilities are exact fractions: that they sum to 1 is tested without a tolerance. Whatever is wrong is answered with
the number of its line. Taught in chapter 00.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import NoReturn

_NUMBER = re.compile(r"\d+/\d+|\d*\.\d+|\d+")


def refuse(line: int, message: str) -> NoReturn:
    """Raises the one kind of error that a wrong grammar gets."""
    raise ValueError(f"grammar line {line}: {message}")


def known(name: str, choices: list[str], line: int, what: str) -> None:
    """Raises unless `name` is one of `choices`, and suggests the nearest one."""
    if name not in choices:
        near = get_close_matches(name, choices, 1)
        refuse(line, f"unknown {what} '{name}'" + (f"; did you mean '{near[0]}'?" if near else f"; known: {choices}"))


@dataclass(frozen=True)
class Line:
    """A logical line: its head and the alternatives to the right of `=`, each with its own line number."""

    head: str
    body: list[tuple[int, str]]
    number: int


def logical_lines(text: str) -> list[Line]:
    """Joins continuation lines (indented) to the line that they continue and cuts the body at each `|`."""
    lines: list[Line] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.rstrip()
        if not line or line.lstrip().startswith("# "):
            continue
        if line[0].isspace():
            if not lines:
                refuse(number, "the first line may not be indented (an indented line continues the one above)")
            parts = line.strip().split("|")
            last_number, last = lines[-1].body[-1]
            lines[-1].body[-1] = (last_number, f"{last} {parts[0]}".strip())
            lines[-1].body.extend((number, part.strip()) for part in parts[1:])
        else:
            head, equals, body = line.partition(" = ")
            if not equals:
                refuse(number, f"expected 'NAME = alternative | alternative', got {line!r}")
            lines.append(Line(head.strip(), [(number, part.strip()) for part in body.split("|")], number))
    return lines


def weigh(line: Line) -> list[tuple[float, str, int]]:
    """(probability, text, line number) of each alternative; raises unless the probabilities sum to 1 exactly."""
    body = list(line.body)
    zipf = body[0][1].startswith("zipf ")
    if zipf:
        body[0] = (body[0][0], body[0][1].removeprefix("zipf "))
    weights: list[Fraction] = []
    texts: list[str] = []
    for number, text in body:
        first, _, rest = text.partition(" ")
        if not text:
            refuse(number, "an empty alternative; write ~ for nothing")
        given = _NUMBER.fullmatch(first) is not None
        if given and zipf:
            refuse(number, "zipf gives the probabilities; take the numbers out")
        if given and Fraction(first) == 0:
            refuse(number, f"'{rest}' can never be said: its probability is 0; take it out or give it some")
        texts.append(rest if given else text)
        weights.append(Fraction(first) if given else Fraction(-1))
    if zipf:
        total = sum(Fraction(1, rank) for rank in range(1, len(body) + 1))
        weights = [Fraction(1, rank) / total for rank in range(1, len(body) + 1)]
    elif all(weight < 0 for weight in weights):
        weights = [Fraction(1, len(body))] * len(body)
    elif any(weight < 0 for weight in weights):
        refuse(line.number, f"'{line.head}': give a probability to every alternative or to none")
    if sum(weights) != 1:
        refuse(line.number, f"'{line.head}': the probabilities sum to {float(sum(weights)):.6g}, expected 1")
    return [(float(weight), text, number) for weight, text, (number, _) in zip(weights, texts, body, strict=True)]
