"""Curves with a floor under them: how far from the best possible, and how far above knowing nothing.

The lines are labelled where they end, so that no legend has to be looked up and nothing is told by colour alone.
The alt text is made by rule from the same numbers.

Taught in chapter 00.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertmini.viz.style import MEANINGS, SPARE, STYLE, Picture, plain

Curve = tuple[Sequence[float], Sequence[float]]  # where, and how much

NOISY = 100  # a curve of more points is drawn as a running mean (of 1/25 of them) over its pale self
FEW = 12  # a curve of no more points shows them
LABEL_GAP = 0.068  # between two labels, as a share of the height


def loss_curve(
    curves: Mapping[str, Curve],
    *,
    floor: float | None = None,
    baselines: Mapping[str, float] | None = None,
    title: str = "",
    x_label: str = "training step",
    y_label: str = "nats per scored token",
) -> Picture:
    """Curves by name, such as `{"training": history.column("loss")}`, with floor and baselines as level lines.

    A name in `style.MEANINGS` has its own colour in the whole book; other names take the spare ones in turn.

    Raises `ValueError` for no curve, an empty one, one with unequal lengths, and a number that is not finite.
    """
    if not curves:
        raise ValueError("there is no curve to draw: pass one, such as {'training': history.column('loss')}")
    drawn = {name: _smooth(*_checked(name, curve)) for name, curve in curves.items()}
    levels = dict(baselines or {}) | ({} if floor is None else {"floor": floor})
    spare = cycle(look for look in SPARE if look not in [MEANINGS.get(name) for name in curves])
    with matplotlib.rc_context(STYLE):
        figure = Figure()
        axes = figure.add_subplot()
        labels: list[tuple[float, str, str]] = []
        for name, level in levels.items():
            colour, line = MEANINGS.get(name, MEANINGS["baseline"])
            axes.axhline(level, color=colour, linestyle=line, linewidth=1.4)
            labels.append((level, f"{name} {level:.2f}", colour))
        for name, (where, values) in drawn.items():
            colour, line = MEANINGS.get(name) or next(spare)
            if len(values) > NOISY:
                axes.plot(*_checked(name, curves[name]), color=colour, alpha=0.25, linewidth=0.8)
            axes.plot(where, values, color=colour, linestyle=line, marker="o" if len(values) <= FEW else None)
            labels.append((values[-1], f"{name} {values[-1]:.2f}", colour))
        axes.set(title=plain(title), xlabel=plain(x_label), ylabel=plain(y_label))
        axes.margins(x=0.01)
        _label_ends(axes, labels)
    return Picture(figure, _describe(drawn, levels, title, x_label, y_label))


def running_mean(values: Sequence[float], window: int) -> list[float]:
    """Each value's mean with its neighbours, `window` of them in all; fewer towards the ends, evenly on both sides.

    >>> running_mean([1, 2, 6, 3, 5], 3)
    [1.0, 3.0, 3.6666666666666665, 4.666666666666667, 5.0]
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    here = np.arange(len(values))
    reach = np.minimum(window // 2, np.minimum(here, len(values) - 1 - here))
    means: list[float] = ((sums[here + reach + 1] - sums[here - reach]) / (2 * reach + 1)).tolist()
    return means


def _checked(name: str, curve: Curve) -> tuple[list[float], list[float]]:
    where, values = ([float(number) for number in numbers] for numbers in curve)
    if not values or len(where) != len(values):
        raise ValueError(f"curve {name!r} has {len(where)} places and {len(values)} values: expected as many, and some")
    if not np.isfinite([where, values]).all():
        raise ValueError(f"curve {name!r} has a number that is not finite: cut it where the run diverged")
    return where, values


def _smooth(where: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """A long curve is noise around a trend: its running mean, without the ends, where a mean would be of few."""
    if len(values) <= NOISY:
        return where, values
    half = len(values) // 50
    return where[half:-half], running_mean(values, 2 * half + 1)[half:-half]


def _label_ends(axes: Axes, labels: list[tuple[float, str, str]]) -> None:
    """Name each line at the right edge, at its height or as near as the others allow."""
    low, high = axes.get_ylim()
    labels = sorted(labels)
    heights = spread([(height - low) / (high - low) for height, _, _ in labels], LABEL_GAP)
    for (_, text, colour), height in zip(labels, heights, strict=True):
        axes.text(1.015, height, plain(text), color=colour, size=9, va="center", transform=axes.transAxes)


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights, moved apart to at least `gap` with the least sum of squared moves.

    Those that would overlap form a block around their common middle; blocks that meet become one.

    >>> [round(height, 2) for height in spread([0.1, 0.5, 0.52], 0.1)]
    [0.1, 0.46, 0.56]
    """
    blocks: list[list[float]] = []  # each holds the wishes of its members for the height of its lowest
    for i, height in enumerate(heights):
        blocks.append([height - i * gap])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    lowest = [float(np.mean(block)) for block in blocks for _ in block]
    return [height + i * gap for i, height in enumerate(lowest)]


def _describe(
    curves: Mapping[str, tuple[list[float], list[float]]],
    levels: Mapping[str, float],
    title: str,
    x_label: str,
    y_label: str,
) -> str:
    """What a sighted reader takes from the figure: where the curves start and end, and how far from each level."""
    sentences = [f"{title}. " if title else "", f"Line chart of {y_label} over {x_label}."]
    for name, (where, values) in curves.items():
        course = f" The curve '{name}' goes from {values[0]:.2f} at {where[0]:g} to {values[-1]:.2f} at {where[-1]:g}"
        distances = [
            f"{abs(values[-1] - level):.2f} {'above' if values[-1] >= level else 'below'} {other} ({level:.2f})"
            for other, level in levels.items()
        ]
        sentences.append(f"{course}: {', '.join(distances)}." if distances else f"{course}.")
    return "".join(sentences)
