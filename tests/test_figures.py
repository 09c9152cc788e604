"""The concept drawings are drawn by their scripts, byte for byte, and can be read by everybody."""

import importlib
import re
import xml.etree.ElementTree as ElementTree
from xml.etree.ElementTree import Element

import pytest

from figures.__main__ import names
from figures.drawing import PAPER, SMALL, WIDTH, Drawing, tint
from figures.outline import CHAPTERS
from tools.notebooks import ROOT

PAGE = 700  # pixels that JupyterLab gives a picture on a laptop
PIXELS_PER_POINT = 96 / 72
SVG = "{http://www.w3.org/2000/svg}"
NAMES = names()
every_figure = pytest.mark.parametrize("name", NAMES)


def drawing(name: str) -> Drawing:
    """What a figure's script draws."""
    return importlib.import_module(f"figures.{name}").draw()


def root(name: str) -> Element:
    """A stored figure."""
    return ElementTree.parse(ROOT / "figures" / f"{name}.svg").getroot()


def words(name: str) -> str:
    """All the text that a figure shows."""
    return " ".join("".join(text.itertext()) for text in root(name).iter(f"{SVG}text")).replace(
        "\N{NO-BREAK SPACE}", " "
    )


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, as WCAG defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_figures_are_there() -> None:
    assert NAMES == [
        "answer_spans",
        "bert",
        "bert_input",
        "book_map",
        "both_sides",
        "cut_head",
        "encoder_layer",
        "few_labels",
        "floor",
        "longest_match",
        "masking",
        "matching",
        "multi_head_attention",
        "next_sentence",
        "planted_rule",
        "pretraining",
        "pretraining_and_finetuning",
        "residual_stream",
        "scaled_dot_product_attention",
        "soft_lookup",
        "tagging",
        "value_path",
        "wordpiece",
        "words_in_context",
        "writing",
    ]
    assert sorted(path.stem for path in (ROOT / "figures").glob("*.svg")) == NAMES


@every_figure
def test_script_draws_the_stored_bytes(name: str) -> None:
    stored = (ROOT / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    assert drawing(name).to_svg() == stored, "run `make figures`"
    assert drawing(name).to_svg() == stored


@every_figure
def test_figure_has_alt_text_and_an_opaque_background(name: str) -> None:
    title, description, background = list(root(name))[:3]
    assert len(title.text or "") > 10
    assert len((description.text or "").split()) > 50
    assert background.attrib["fill"] == PAPER
    assert (background.attrib["width"], background.attrib["height"]) == (str(WIDTH), root(name).attrib["height"])


@every_figure
def test_figure_needs_nothing_from_elsewhere(name: str) -> None:
    svg = (ROOT / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    assert re.findall("<script|<style|<image|href=|url\\(|<foreignObject", svg) == []


@every_figure
def test_letters_are_large_and_dark_enough(name: str) -> None:
    sizes = [float(e.attrib["font-size"]) for e in root(name).iter() if "font-size" in e.attrib]
    assert min(sizes) * PAGE / WIDTH / PIXELS_PER_POINT >= 8 * 0.995
    # The darkest filling behind letters is a matrix cell at 0.65 of a colour; MUTED stands on light tints only.
    inks = {text.attrib["fill"] for text in root(name).iter(f"{SVG}text")}
    assert all((luminance(PAPER) + 0.05) / (luminance(ink) + 0.05) >= 5.5 for ink in inks)


@every_figure
def test_everything_stays_on_the_paper(name: str) -> None:
    height = float(root(name).attrib["height"])
    for element in root(name).iter():
        x, y = (float(element.attrib.get(key, 0)) for key in ("x", "y"))
        width, tall = (float(element.attrib.get(key, 0)) for key in ("width", "height"))
        if element.tag in {f"{SVG}rect", f"{SVG}text"}:
            assert 0 <= x < x + width + 1 <= WIDTH + 1
            assert 0 <= y < y + tall + 1 <= height + 1


def test_bert_is_an_encoder_with_a_tied_output() -> None:
    text = words("bert").lower()
    assert "decoder" not in text
    assert "cross-attention" not in text
    for part in ("segment", "position", "tanh", "tied", "layernorm", "(token embeddings)t", "is next"):
        assert part in text


def test_layer_is_post_norm() -> None:
    text = words("encoder_layer")
    assert "y = LayerNorm(h + Dropout(FFN(h)))" in text
    assert "h = LayerNorm(x + Dropout(Attention(x)))" in text


def test_map_shows_every_chapter() -> None:
    text = words("book_map")
    for chapter in CHAPTERS:
        assert chapter.number in text
        assert set(chapter.title.split()) <= set(text.split())


def test_attention_numbers_are_right() -> None:
    script = importlib.import_module("figures.scaled_dot_product_attention")
    assert script.scores()[1] == pytest.approx([0.1, 0.5, 0.95, 4.5])
    assert script.scores()[3] == pytest.approx([0.1, 2.5, 0.2, 1.0])
    assert [sum(row) for row in script.weights()] == pytest.approx([1, 1, 1, 1])
    assert script.weights()[1] == pytest.approx([0.078, 0.096, 0.120, 0.706], abs=5e-4)
    assert script.mixed()[1] == pytest.approx([0.786, 0.068], abs=5e-4)
    assert importlib.import_module("figures.multi_head_attention").next_word()[1][2] == pytest.approx(0.980, abs=5e-4)


def test_marks_become_spans() -> None:
    d = Drawing(10, title="t", description="d")
    d.text(1, 2, "*x*_{i} + `id`")
    assert "".join(ElementTree.fromstring(d.parts[0]).itertext()) == "xi\N{NO-BREAK SPACE}+\N{NO-BREAK SPACE}id"
    assert d.parts[0].count("<tspan") == 4
    assert (tint("#000000", 0.5), tint("#0072b2", 0.0), SMALL) == ("#808080", "#ffffff", 13)
