"""The reckoning of heights by hand; test_viz_interactive_explorer_page.py holds it against a browser."""

import math
from typing import Any

import numpy as np
import pytest

from bertmini.viz.interactive.explorer import explore
from bertmini.viz.interactive.layout import WIDTHS, map_height


@pytest.mark.parametrize(("room", "cell"), [(300, 11), (420, 17), (500, 21), (900, 24)])
def test_the_heat_map_is_as_high_as_the_program_draws_it(room: int, cell: int) -> None:
    # as in explorer.test.cjs: letters of five make a margin of 49
    assert map_height(["otter"] * 20, room) == math.ceil(49 * 0.9 + 22) + 20 * cell + 4


def test_a_frame_has_a_height_for_each_width_and_more_content_needs_more() -> None:
    def tall(layers: int, tokens: int) -> Any:
        stack = np.full((layers, 2, tokens, tokens), 1 / tokens)
        return explore((stack, [f"t{i}" for i in range(tokens)])).height

    small, deep, long = tall(1, 5), tall(4, 5), tall(1, 15)
    assert tuple(small) == WIDTHS
    assert all(deep[width] > small[width] and long[width] > small[width] for width in WIDTHS)
    assert small[320] > small[1400]
