"""bertviz's views in a browser, from the disk: they draw, they answer the mouse, and they ask nobody for anything."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Visit, visit, wait_until
from numpy.typing import NDArray
from playwright.sync_api import Browser
from small_models import CONFIG, shaken
from test_viz_interactive_views import ODD, TOKENIZER, weights
from test_viz_style import contrast

from bertmini.inside.neurons import listen
from bertmini.model.encoder import BertModel
from bertmini.viz.interactive.frame import Frame
from bertmini.viz.interactive.views import head_view, model_view, neuron_view

STACK = weights(2, 3, 9)
OPACITIES = """lines => lines.map(line => +line.getAttribute("stroke-opacity"))"""


def opened(browser: Browser, folder: Path, *views: Frame, **how: Any) -> Any:
    """One view as a page of its own; several as frames of one page."""
    page = folder / "page.html"
    if len(views) == 1:
        views[0].save(page)
    else:
        bodies = [view._repr_mimebundle_()["text/html"] for view in views]
        page.write_text(f"<!doctype html><meta charset=utf-8>{''.join(bodies)}", encoding="utf-8")
    return visit(browser, page, **how)


def opacities(view: Any, *shape: int) -> NDArray[np.float64]:
    return np.array(view.eval_on_selector_all("#attention line", OPACITIES)).reshape(shape)


def test_the_head_view_draws_every_weight_and_does_as_told(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, head_view(STACK, ODD, layer=1)) as seen:
        page = seen.page
        assert page.locator("#left text").all_text_contents() == ODD
        assert page.locator("#right text").all_text_contents() == ODD
        assert np.abs(opacities(page, 3, 9, 9) - STACK[1] / 3**0.5).max() < 0.0021
        page.select_option("#layer", "0")
        assert np.abs(opacities(page, 3, 9, 9) - STACK[0] / 3**0.5).max() < 0.0021
        squares = page.locator("svg > g:last-of-type > rect")
        squares.nth(1).click()  # off
        drawn = opacities(page, 3, 9, 9)
        assert np.abs(drawn[[0, 2]] - STACK[0, [0, 2]] / 2**0.5).max() < 0.0021
        assert not drawn[1].any()
        squares.nth(2).dblclick()  # alone
        assert np.abs(opacities(page, 3, 9, 9)[2] - STACK[0, 2]).max() < 0.0021
        page.locator("#left text").nth(4).hover()
        assert {
            line.get_attribute("left-token-index") for line in page.query_selector_all("line[visibility=visible]")
        } == {"4"}
        boxes = page.eval_on_selector_all(
            "#right .attentionBoxes g:nth-child(3) rect", "boxes => boxes.map(box => +box.style.opacity)"
        )
        assert np.abs(boxes - STACK[0, 2, 4]).max() < 0.0021
        assert_quiet(seen)


def test_the_model_view_enlarges_a_head(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, model_view(STACK, ODD, 4)) as seen:
        page = seen.page
        tiles = page.locator("svg > g:has(.attn_background)")
        assert tiles.count() == 6
        assert tiles.nth(4).locator("line").count() == 81
        assert page.locator(".detail").count() == 0
        tiles.nth(4).click()
        assert page.locator("text.detail").text_content() == "Layer 1, Head 1"
        assert page.locator(".detail text").all_text_contents() == ODD * 2
        lines = page.locator(".detail line").evaluate_all(OPACITIES)
        assert np.abs(np.reshape(lines, (9, 9)) - STACK[1, 1]).max() < 0.0021
        page.select_option("#filter", "3")  # from the first sentence to the second
        assert tiles.nth(0).locator("line").count() == 4 * 5
        assert (
            np.abs(np.reshape(tiles.nth(5).locator("line").evaluate_all(OPACITIES), (4, 5)) - STACK[1, 2, :4, 4:]).max()
            < 0.0021
        )
        assert_quiet(seen)


def test_the_neuron_view_shows_the_products_under_a_weight(browser: Browser, tmp_path: Path) -> None:
    model = shaken(BertModel(CONFIG))
    neurons = listen(model, TOKENIZER, "the cats", "sat")
    with opened(browser, tmp_path, neuron_view(*neurons, layer=2, head=3)) as seen:
        page = seen.page
        token = page.locator("#collapsed #leftText > g").nth(2)
        token.hover()
        token.locator("rect").last.click()
        page.locator("#expanded #leftText text").nth(4).hover()
        products = page.eval_on_selector_all(
            "#dotproducts rect", "all => all.map(one => +one.getAttribute('data-value'))"
        )
        query, keys = neurons.queries[2, 3, 4], neurons.keys[2, 3]
        assert products == pytest.approx(keys @ query / 5**0.5, abs=0.002)
        assert page.locator("#expanded #leftText text").all_text_contents() == neurons.tokens
        page.select_option("#att_head", "0")
        page.locator("#expanded #leftText text").nth(1).hover()
        elements = page.eval_on_selector_all(
            "#product .vector:nth-child(4) .element", "all => all.map(one => +one.getAttribute('data-value'))"
        )
        assert elements == pytest.approx(neurons.queries[2, 0, 1] * neurons.keys[2, 0, 3], abs=0.002)
        assert_quiet(seen)


def test_two_views_on_a_page_do_not_disturb_each_other(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, head_view(STACK, ODD), head_view(STACK[::-1].copy(), ODD), width=1400) as seen:
        first, second = seen.views()
        before = opacities(second, 3, 9, 9)
        first.select_option("#layer", "1")
        assert np.array_equal(opacities(first, 3, 9, 9), before)  # the other's first layer
        second.locator("#left text").nth(3).hover()
        assert np.array_equal(opacities(second, 3, 9, 9), before)
        assert first.locator("line[visibility=visible]").count() == 0
        assert second.locator("line[visibility=visible]").count() == 27
        assert seen.page.evaluate("[typeof d3, typeof requirejs, typeof bertviz_params]") == ["undefined"] * 3
        assert_quiet(seen)


@pytest.mark.parametrize(("layers", "heads", "count"), [(12, 12, 12), (1, 2, 128), (1, 1, 1)])
def test_large_and_small_attention_is_drawn_rightly(
    browser: Browser, tmp_path: Path, layers: int, heads: int, count: int
) -> None:
    stack, tokens = weights(layers, heads, count), [f"t{i}" for i in range(count)]
    last = layers - 1
    with opened(browser, tmp_path, head_view(stack, tokens, layer=last), model_view(stack, tokens)) as seen:
        one, every = seen.views()
        assert np.abs(opacities(one, heads, count, count) - stack[last] / heads**0.5).max() < 0.0021
        assert every.locator("svg line").count() == layers * heads * count**2
        for view in (one, every):  # the frame is as high as its content
            assert view.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert_quiet(seen)


@pytest.mark.parametrize("width", [480, 720, 1000, 1400])
def test_views_use_their_width_and_nothing_scrolls_or_is_cut_off(browser: Browser, tmp_path: Path, width: int) -> None:
    neurons = listen(shaken(BertModel(CONFIG)), TOKENIZER, "the cats", "sat")
    long = [*ODD[:-1], "uncharacteristically"]
    views = (head_view(STACK, long, 4), model_view(STACK, long, 4), neuron_view(*neurons))
    with opened(browser, tmp_path, *views, width=width) as seen:
        heads, tiles, vectors = seen.views()
        for view in (heads, tiles, vectors):
            assert view.evaluate("document.documentElement.scrollHeight <= innerHeight")
        box = "const b = one.getBoundingClientRect()"
        inside = f"all => all.every(one => {{ {box}; return b.left >= 0 && b.right <= innerWidth; }})"
        ends = "[...document.querySelectorAll('#right text')].map(one => one.getBoundingClientRect().right)"
        wait_until(heads, f"Math.max(...{ends}) > innerWidth - 60")  # a frame that has grown is drawn anew
        assert heads.eval_on_selector_all("#left text, #right text", inside)
        buttons = tiles.locator("svg > g:has(.attn_background)")
        for number in range(buttons.count()):
            buttons.nth(number).click(position={"x": 8, "y": 8})
            assert tiles.locator("text.detail").count() == 1
            assert tiles.eval_on_selector_all("rect.detail, .detail text", inside)
            tiles.locator("rect.detail").click(position={"x": 4, "y": 4})
            assert tiles.locator(".detail").count() == 0
        assert_quiet(seen)


@pytest.mark.parametrize("dark", [False, True])
def test_a_head_that_is_off_is_an_empty_square(browser: Browser, tmp_path: Path, dark: bool) -> None:
    with opened(browser, tmp_path, head_view(STACK, ODD), dark=dark) as seen:
        squares = seen.page.locator("svg > g:last-of-type > rect")
        for number in (0, 2):
            squares.nth(number).click()
        looks = squares.evaluate_all(
            "all => all.map(one => [getComputedStyle(one).fill, getComputedStyle(one).stroke])"
        )
        paper = seen.page.eval_on_selector("html", "one => getComputedStyle(one).backgroundColor")
        assert [fill == paper for fill, _ in looks] == [True, False, True]
        assert len({stroke for _, stroke in looks}) == 3
        assert looks[1][0] == looks[1][1]
        places = squares.evaluate_all("all => all.map(one => one.getBoundingClientRect().left)")
        assert min(after - before for before, after in pairwise(places)) > 22  # they do not touch
        assert_quiet(seen)


@pytest.mark.parametrize("dark", [False, True])
def test_both_themes_can_be_read(browser: Browser, tmp_path: Path, dark: bool) -> None:
    with opened(browser, tmp_path, model_view(STACK, ODD), head_view(STACK, ODD), dark=dark) as seen:
        view = seen.views()[0]
        view.locator("svg > g:has(.attn_background)").first.click()
        paper, ink, label, frame, token = (
            colour(view, selector, name)
            for selector, name in (
                ("html", "backgroundColor"),
                ("p", "color"),
                ("svg > text", "fill"),
                ("rect.detail", "fill"),
                (".detail text", "fill"),
            )
        )
        assert (np.mean(paper) < 0.2) == dark
        assert contrast(ink, paper) > 7
        assert contrast(label, paper) > 7
        assert contrast(token, frame) > 7
        seen.page.emulate_media(color_scheme="light" if dark else "dark")  # while the notebook is open
        wait_until(view, f"window.bertviz_params?.display_mode === '{'light' if dark else 'dark'}'")
        view.wait_for_selector("svg line", state="attached")
        assert (np.mean(colour(view, "html", "backgroundColor")) < 0.2) != dark


def test_axe_finds_nothing(browser: Browser, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    neurons = listen(shaken(BertModel(CONFIG)), TOKENIZER, "the cats", "sat")
    for view in (head_view(STACK, ODD, 4), model_view(STACK, ODD, 4), neuron_view(*neurons)):
        with opened(browser, tmp_path, view) as seen:
            found = Axe().run(seen.page)
            assert found.violations_count == 0, found.generate_report()


def assert_quiet(seen: Visit) -> None:
    assert seen.refused == []
    assert seen.errors == []


def colour(view: Any, selector: str, name: str) -> tuple[float, ...]:
    """A computed colour, 0 to 1 per channel."""
    text = view.eval_on_selector(selector, f"element => getComputedStyle(element).{name}")
    return tuple(int(channel) / 255 for channel in text.removeprefix("rgb(").rstrip(")").split(","))
