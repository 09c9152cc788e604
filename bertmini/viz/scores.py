"""Several methods' scores of the same tokens, a row for each, as a picture and as a page.

Each row has its own scale, its largest number in full colour: shares of attention and nats cannot be compared, only the
rows' shapes can. Blue speaks for what is explained, brown against it; the numbers say it again.

Taught in chapter 14.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bertmini.viz.interactive.frame import Frame
from bertmini.viz.style import STYLE, Picture, plain

BLUES = matplotlib.colors.LinearSegmentedColormap.from_list("for and against", ["#a86511", "#ffffff", "#0072b2"], 41)
STRONG = 0.6  # of a row's largest; from here on digits are white


def score_rows(scores: Mapping[str, Any], tokens: Sequence[str], *, title: str = "") -> Picture:
    """The scores (S,) of each method as a row of coloured cells with their numbers; each row has its own scale.

    Raises `ValueError` for no rows, and for scores that are not one number per token.
    """
    rows = _checked(scores, tokens)
    shares = np.array([row / (np.abs(row).max() or 1.0) for row in rows.values()])
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(0.52 * len(tokens) + 1.9, 0.34 * len(rows) + 1.1), layout="compressed")
        axes = figure.add_subplot()
        axes.grid(visible=False)
        axes.imshow(shares, cmap=BLUES, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
        axes.set_xticks(range(len(tokens)), [plain(t) for t in tokens], rotation=60, ha="left", rotation_mode="anchor")
        axes.set_yticks(range(len(rows)), list(rows))
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for row, (values, strengths) in enumerate(zip(rows.values(), shares, strict=True)):
            for column, (value, strength) in enumerate(zip(values, strengths, strict=True)):
                colour = "white" if abs(strength) > STRONG else "#1f2933"
                axes.text(column, row, _short(value), ha="center", va="center", size=8, color=colour)
        figure.suptitle(plain(title), x=0.01, ha="left", size=10.5)
    return Picture(figure, describe_scores(rows, tokens, title))


def score_page(scores: Mapping[str, Any], tokens: Sequence[str], *, title: str) -> Frame:
    """The same as a page that needs no network: a table, and the picture under it."""
    rows = _checked(scores, tokens)

    def cell(value: float, strength: float) -> str:
        colour = matplotlib.colors.to_hex(BLUES((strength + 1) / 2))
        ink = "#ffffff" if abs(strength) > STRONG else "#1f2933"
        return f'<td style="background:{colour};color:{ink}">{_short(value)}</td>'

    head = "".join(f"<th scope=col>{html.escape(token)}</th>" for token in tokens)
    body = "".join(
        f"<tr><th scope=row>{html.escape(name)}</th>"
        + "".join(cell(value, value / (np.abs(row).max() or 1.0)) for value in row)
        + "</tr>"
        for name, row in rows.items()
    )
    style = "<style>table{border-collapse:collapse}td,th{padding:4px 7px;border:1px solid var(--line)}</style>"
    page = f"{style}<div style='overflow-x:auto'><table><tr><td></td>{head}</tr>{body}</table></div><p>{NOTE}</p>"
    picture = score_rows(scores, tokens, title=title)
    return Frame(page, picture, picture.alt, 120 + 34 * len(rows), title=title)


NOTE = (
    "Each row has its own scale. Attention and rollout are shares of a mixture; the others are nats of the guess's "
    "log-probability, below zero where a token speaks against it. Rows that disagree answer different questions."
)


def describe_scores(rows: Mapping[str, NDArray[np.float64]], tokens: Sequence[str], title: str) -> str:
    """Each method's three strongest tokens, in words."""
    told = []
    for name, row in rows.items():
        strongest = [int(i) for i in np.argsort(-np.abs(row), kind="stable")[:3]]
        told.append(f"{name}: {', '.join(f'{tokens[i]} {_short(row[i])}' for i in strongest)}")
    return f"{f'{title}. ' if title else ''}A row for each method, a column for each token. {'; '.join(told)}."


def _checked(scores: Mapping[str, Any], tokens: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    rows = {name: np.asarray(row, np.float64) for name, row in scores.items()}
    wrong = [name for name, row in rows.items() if row.shape != (len(tokens),)]
    if not rows or wrong:
        raise ValueError(f"scores {wrong or 'of no method'}: expected one number for each of the {len(tokens)} tokens")
    return rows


def _short(value: float) -> str:
    """Two digits, and no minus before a zero.

    >>> _short(0.126), _short(-0.001)
    ('0.13', '0.00')
    """
    return f"{value:.2f}".replace("-0.00", "0.00")
