"""What a question is, and how numbers are written in one."""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Question(NamedTuple):
    """One question of a paper: what is asked, what is right and how one gets there, both in Markdown."""

    title: str
    points: int
    asked: str
    answer: str


Maker = Callable[[random.Random], Question]


def decimals(values: Sequence[float], places: int = 2) -> str:
    """Numbers in a row, as a student would write them."""
    return ", ".join(f"{value:.{places}f}" for value in values)


def table(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def shares(draw: random.Random, count: int, *, of: int = 20) -> list[float]:
    """Probabilities that add up to 1, each a multiple of 1/`of` and none 0."""
    cuts = sorted(draw.sample(range(1, of), count - 1))
    return [(end - begin) / of for begin, end in zip([0, *cuts], [*cuts, of], strict=True)]
