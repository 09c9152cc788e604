import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from bertmini.viz import MEANINGS, loss_curve
from bertmini.viz.plots import running_mean, spread

STEPS, LOSSES = [0, 10, 20], [3.0, 2.0, 1.5]


def axes_of(**options: Any) -> Axes:
    return loss_curve({"training": (STEPS, LOSSES)}, **options).figure.axes[0]


def labels_of(axes: Axes) -> dict[str, float]:
    return {text.get_text(): text.get_position()[1] for text in axes.texts}


def test_axes_are_named_with_their_units() -> None:
    axes = axes_of(title="Pretraining")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("training step", "nats per scored token")
    assert axes.get_title(loc="left") == "Pretraining"
    axes = axes_of(x_label="examples", y_label="accuracy")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("examples", "accuracy")


def test_the_floor_is_dashed_black_and_labelled_on_its_line() -> None:
    axes = axes_of(floor=1.25)
    floor = next(line for line in axes.lines if list(line.get_ydata()) == [1.25, 1.25])
    assert (floor.get_linestyle(), to_hex(floor.get_color())) == ("--", "#000000")
    low, high = axes.get_ylim()
    assert labels_of(axes)["floor 1.25"] == pytest.approx((1.25 - low) / (high - low), abs=0.04)
    assert axes.get_legend() is None


def test_each_meaning_has_its_colour_and_other_names_take_spare_ones() -> None:
    names = ["training", "held out", "wider", "deeper"]
    axes = loss_curve(dict.fromkeys(names, (STEPS, LOSSES)), baselines={"chance": 4, "unigram": 3.5}).figure.axes[0]
    drawn = {text.get_text().rsplit(" ", 1)[0]: to_hex(text.get_color()) for text in axes.texts}
    assert drawn == {
        "training": MEANINGS["training"][0],
        "held out": MEANINGS["held out"][0],
        "wider": "#4404c0",
        "deeper": "#464209",
        "chance": MEANINGS["chance"][0],
        "unigram": MEANINGS["baseline"][0],
    }


def test_a_spare_look_that_has_a_name_is_not_spare_where_the_name_is_drawn() -> None:
    axes = loss_curve(dict.fromkeys(["wider", "frozen"], (STEPS, LOSSES))).figure.axes[0]
    drawn = {text.get_text().rsplit(" ", 1)[0]: to_hex(text.get_color()) for text in axes.texts}
    assert drawn == {"frozen": MEANINGS["frozen"][0], "wider": "#464209"}


def test_the_curve_is_drawn_as_it_is() -> None:
    line = axes_of().lines[0]
    assert list(line.get_xdata()) == STEPS
    assert list(line.get_ydata()) == LOSSES
    assert line.get_marker() == "o"


def test_a_long_curve_is_a_running_mean_over_its_pale_self() -> None:
    steps = list(range(1, 301))
    losses = [5 + (-1) ** step for step in steps]
    picture = loss_curve({"training": (steps, losses)})
    pale, mean = picture.figure.axes[0].lines
    assert list(pale.get_ydata()) == losses
    assert pale.get_alpha() < 0.5
    assert len(mean.get_ydata()) == 300 - 2 * 6
    assert np.ptp(mean.get_ydata()) < 0.2
    assert np.ptp(losses) == 2


def test_labels_do_not_overlap() -> None:
    curves = {
        name: (STEPS, [3.0, 2.0, last]) for name, last in (("training", 1.50), ("held out", 1.52), ("wider", 1.51))
    }
    heights = sorted(labels_of(loss_curve(curves, floor=1.49).figure.axes[0]).values())
    assert len(heights) == 4
    assert min(np.diff(heights)) > 0.06


def test_the_words_say_what_the_picture_shows() -> None:
    picture = loss_curve({"training": (STEPS, LOSSES)}, floor=1.25, baselines={"unigram": 2.75}, title="Pretraining")
    assert picture.alt == (
        "Pretraining. Line chart of nats per scored token over training step. The curve 'training' goes from 3.00 at 0 "
        "to 1.50 at 20: 1.25 below unigram (2.75), 0.25 above floor (1.25)."
    )
    assert loss_curve({"a": (STEPS, LOSSES)}).alt.endswith("The curve 'a' goes from 3.00 at 0 to 1.50 at 20.")


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, "there is no curve to draw"),
        ({"a": ([], [])}, "curve 'a' has 0 places and 0 values"),
        ({"a": ([1, 2], [1.0])}, "curve 'a' has 2 places and 1 values"),
        ({"a": ([1, 2], [1.0, math.nan])}, "curve 'a' has a number that is not finite"),
        ({"a": ([1, math.inf], [1.0, 2.0])}, "curve 'a' has a number that is not finite"),
    ],
)
def test_mistakes_are_named(curves: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        loss_curve(curves)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.integers(0, 5))
def test_running_mean_by_its_definition(values: list[float], half: int) -> None:
    means = running_mean(values, 2 * half + 1)
    for i, mean in enumerate(means):
        reach = min(half, i, len(values) - 1 - i)
        assert mean == pytest.approx(np.mean(values[i - reach : i + reach + 1]), abs=1e-9)


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.01, 0.3))
def test_spread_keeps_the_gap_the_order_and_the_middle(heights: list[float], gap: float) -> None:
    heights = sorted(heights)
    moved = spread(heights, gap)
    assert all(later - earlier >= gap - 1e-9 for earlier, later in itertools.pairwise(moved))
    assert sum(moved) == pytest.approx(sum(heights))
    if all(later - earlier >= gap for earlier, later in itertools.pairwise(heights)):
        assert moved == pytest.approx(heights)
