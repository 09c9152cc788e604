"""No picture reads somebody's words as a formula, and none fails over them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

from bertmini.viz import Picture, png
from bertmini.viz.confusion import confusion_map
from bertmini.viz.maps import attention_lines, attention_map, head_grid
from bertmini.viz.plots import loss_curve
from bertmini.viz.style import plain

ODD = [
    "$50_$100",
    "$\\frac{1}$",
    "\\$x$_\\$",
    "it sat on $\\text{a}_$ mat",
    "half \ud83e of it",
    "\x1b[2J\x00",
    "$",
    "$$",
]
EVEN = np.full((2, 2), 0.5)
PICTURES: dict[str, Callable[[str], Picture]] = {
    "confusion": lambda word: confusion_map(np.eye(2, dtype=int), [word, "b"], title=word),
    "map": lambda word: attention_map(EVEN, [word, "b"], title=word),
    "grid": lambda word: head_grid(EVEN[None, None], [word, "b"], title=word),
    "lines": lambda word: attention_lines(EVEN, [word, "b"], 0, title=word),
    "curve": lambda word: loss_curve(
        {word: ([0, 1], [2.0, 1.0])}, baselines={f"{word}.": 3.0}, title=word, x_label=word
    ),
}


def drawn(picture: Picture) -> list[tuple[str, bool]]:
    """The letters that matplotlib puts on the paper, and whether it reads them as a formula."""
    return [text._preprocess_math(text.get_text()) for text in picture.figure.findobj(Text)]


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("word", ODD, ids=map(ascii, ODD))
@pytest.mark.parametrize("kind", PICTURES)
def test_words_are_drawn_letter_by_letter(kind: str, word: str) -> None:
    picture = PICTURES[kind](word)
    assert png(picture).startswith(b"\x89PNG")
    shown = word.replace("\ud83e", "?")
    letters = drawn(picture)
    assert any(shown in text or text[:-3] == shown[:19] for text, _ in letters)
    assert not any(is_formula for text, is_formula in letters if "$" in text)


@settings(max_examples=200)
@given(st.text(st.sampled_from("$\\{}_^a"), max_size=12))
def test_plain_is_undone_by_matplotlib(text: str) -> None:
    assert Text(text=plain(text))._preprocess_math(plain(text)) == (text, False)
