"""The explorer as a reader meets it, in Debian's Chromium: keys, pointer, slider, numbers, files, who can use it."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import Visit, visit, wait_until
from PIL import Image
from test_viz_interactive_explorer import attention

from bertmini.inside.ablation import Ablation, Guesses
from bertmini.inside.rollout import rollout
from bertmini.viz.interactive.explorer import explore
from bertmini.viz.interactive.frame import Frame

TOKENS = ["[CLS]", "the", "otter", "likes", "the", "[MASK]", "[SEP]"]
PLACES = len(TOKENS)
STEPS = [(step, attention(2, 3, PLACES, seed=step)) for step in (0, 50, 400)]
STEPS[2][1][1, 1] = np.eye(PLACES)[[0, 0, 1, 2, 3, 4, 5]]  # a head for the previous token, at the last step
LAST = STEPS[2][1]
WHOLE = Guesses(["river", "rain"], [0.75, 0.125], 0.75)
OTHER = Guesses(["rain", "river"], [0.5, 0.25], 0.25)
CUT = [[WHOLE, WHOLE, WHOLE], [WHOLE, OTHER, WHOLE]]


ODD = ["</script>", "<!--", "'\"&amp;", "🦦", "中文", "", "[SEP]"]


@cache
def view(name: str) -> Frame:
    """A view by name, made once."""
    beside: tuple[Any, ...]
    match name:
        case "one":
            return explore(LAST, TOKENS, 3, title="One", ablation=[Ablation(5, WHOLE, CUT)], place=1)
        case "steps":
            return explore(STEPS, TOKENS, title="Steps")
        case "two":
            beside = (STEPS[0][1], TOKENS)
            return explore(LAST, TOKENS, beside=beside, names=("trained", "untrained"), title="Two")
        case "texts":
            return explore(LAST, TOKENS, beside=(attention(3, 2, 9), [*"abcdefghi"]), title="Texts")
        case "odd":
            return explore(LAST, ODD, title="Odd")
        case "many":
            return explore(attention(12, 12, 30), [f"token{i}" for i in range(30)], title="Many")
        case "long":
            return explore(attention(1, 2, 128), [f"word{i}" for i in range(128)], title="Long")
        case "single":
            return explore(np.ones((1, 1, 1, 1)), ["hello"], title="Single")
    raise ValueError(f"there is no view {name!r}")


@pytest.fixture
def open_view(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a view from the disk; at the end nothing has been asked for, and no error has occurred."""
    with ExitStack() as stack:
        visits: list[Visit] = []

        def from_disk(name: str, *, framed: bool = False, **how: Any) -> Any:
            path = tmp_path / "page.html"
            if framed:
                bundle = view(name)._repr_mimebundle_()["text/html"]
                text = f"<!doctype html><html lang=en><meta charset=utf-8><title>x</title><main>{bundle * 2}</main>"
                path.write_text(text, encoding="utf-8")
            else:
                view(name).save(path)
            visits.append(stack.enter_context(visit(browser, path, **how)))
            return visits[-1].page

        yield from_disk
        assert [(one.refused, one.errors) for one in visits] == [([], [])] * len(visits)


def said(page: Any) -> str:
    text: str = page.locator("[role=status]").inner_text()
    return text


def names(page: Any, selector: str) -> list[str]:
    return [str(text) for text in page.locator(selector).all_inner_texts()]


def open_numbers(page: Any) -> None:
    page.get_by_text("All weights as numbers").click()
    page.locator(".numbers td").nth(1).wait_for()  # the table is written when the browser says that it is open


def test_heads_are_reached_and_told_by_keyboard_alone(open_view: Any) -> None:
    page = open_view("one")
    for _ in range(3):  # two choices, then the heads
        page.keyboard.press("Tab")
    focused = "document.activeElement.ariaLabel"
    assert page.evaluate(focused).startswith("layer 0, head 0: ")
    for key, head in [("ArrowDown", "1, head 0"), ("ArrowRight", "1, head 1"), ("ArrowDown", "1, head 1")]:
        page.keyboard.press(key)
        assert page.evaluate(focused).startswith(f"layer {head}: ")
        assert said(page).startswith(f"Layer {head} ")
    assert said(page) == (
        "Layer 1, head 1 (previous token 100 %). the (token 1) attends to [CLS] 1.00. "
        "[MASK] with all heads: river 75.0 %; without this one: rain 50.0 %."
    )
    page.keyboard.press("Home")
    assert page.evaluate(focused).startswith("layer 1, head 0")
    assert page.locator(".tile[tabindex='0']").count() == 1


def test_tokens_are_reached_and_told_by_keyboard_alone(open_view: Any) -> None:
    page = open_view("one")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    line = LAST[0, 0, 2]
    assert page.evaluate("document.activeElement.innerText").split()[0] == "otter"
    best = int(line.argmax())
    where = {1: "the (token 1)", 2: "itself", 4: "the (token 4)"}.get(best, TOKENS[best])
    assert said(page).startswith(f"otter attends to {where} {line[best]:.2f}")
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.innerText").split()[0] == "[SEP]"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.innerText").split()[0] == "[SEP]"


def test_every_control_is_reached_by_tab_and_none_holds_the_reader(open_view: Any) -> None:
    page = open_view("steps")
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
    assert reached[:9] == ["SELECT", "SELECT", "INPUT", "tile", "chip", "map scroll", "BUTTON", "BUTTON", "SUMMARY"]
    assert "BODY" in reached  # and out again


def test_numbers_at_the_tokens_in_the_table_and_under_the_pointer_are_the_weights(open_view: Any) -> None:
    page = open_view("one")
    page.locator(".chip").nth(3).click()
    shown = [text.split()[-1] for text in names(page, ".chip")]
    assert shown == [f"{weight:.2f}" if weight >= 0.005 else "0" for weight in LAST[0, 0, 3]]
    open_numbers(page)
    cells = names(page, ".numbers td")[1:]
    assert cells == [f"{weight:.2f}" for weight in LAST[0, 0].ravel()]
    box = page.locator(".cells > rect").first.bounding_box()
    cell = box["width"] / PLACES
    page.mouse.move(box["x"] + 5.5 * cell, box["y"] + 2.5 * cell)
    assert page.locator(".readout").inner_text() == f"otter to [MASK]: {LAST[0, 0, 2, 5]:.2f}"
    page.mouse.click(box["x"] + 5.5 * cell, box["y"] + 2.5 * cell)
    assert said(page).startswith("otter attends to ")
    page.locator(".tile").nth(4).click()
    assert names(page, ".numbers td")[1:] == [f"{weight:.2f}" for weight in LAST[1, 1].ravel()]


def test_the_other_way_round(open_view: Any) -> None:
    page = open_view("one")
    page.get_by_label("Numbers").select_option("what attends to the token")
    shown = [text.split()[-1] for text in names(page, ".chip")]
    assert shown == [f"{weight:.2f}" if weight >= 0.005 else "0" for weight in LAST[0, 0, :, 1]]
    assert "the (token 1) is attended to by" in said(page)


def test_means_and_rollout_agree_with_python(open_view: Any) -> None:
    page = open_view("one")
    page.locator(".tile").nth(3).click()  # layer 1
    open_numbers(page)
    mean = LAST.mean(1)
    for view, expected in [("mean", mean[1]), ("rollout", rollout(LAST, TOKENS)[1])]:
        page.get_by_label("Show").select_option(view)
        shown = np.array([float(text) for text in names(page, ".numbers td")[1:]]).reshape(PLACES, PLACES)
        assert np.abs(shown - expected).max() < 0.012
    assert "Rollout up to layer 1, a heuristic" in said(page)
    assert names(page, ".tile[aria-selected=true]")[0]


def test_the_slider_shows_heads_forming(open_view: Any) -> None:
    page = open_view("steps")
    tile = page.locator(".tile").nth(4)
    picture = "node => node.firstChild.getContext('2d').getImageData(0, 0, 7, 7).data.join()"
    assert tile.inner_text() == "previous 100 %"
    after = tile.evaluate(picture)
    slider = page.get_by_label("Training step")
    assert (slider.get_attribute("aria-valuetext"), page.locator("output").inner_text()) == ("step 400", "400")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert said(page).startswith("Step 50. Layer 0, head 0")
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "step 0"
    assert tile.inner_text() in ("mixed", "broad")
    before = tile.evaluate(picture)
    assert before != after
    inks = [int(value) for value in after.split(",")[3::4]]  # how opaque each cell is
    assert inks == [255 if LAST[1, 1].ravel()[i] else 0 for i in range(PLACES * PLACES)]


def test_without_a_head_the_prediction_changes(open_view: Any) -> None:
    page = open_view("one")
    page.locator(".tile").nth(4).click()
    text = page.locator(".without").inner_text()
    assert "What [MASK] becomes without a head" in text
    assert "With all heads: river 75.0 %, rain 12.5 %." in text
    assert "Without layer 1, head 1: rain 50.0 %, river 25.0 %." in text
    assert names(page, ".without td")[1:] == ["75 %"] * 4 + ["25 % → rain", "75 %"]
    assert names(page, ".without [aria-current]") == ["25 % → rain"]


def test_two_models_share_the_choice_of_head_and_token(open_view: Any) -> None:
    page = open_view("two")
    page.locator(".tile").nth(4).click()
    page.locator(".side").nth(1).locator(".chip").nth(5).click()
    assert names(page, ".chip[aria-selected=true] bdi") == ["[MASK]", "[MASK]"]
    assert names(page, "h2") == ["trained", "untrained"]
    assert re.match(r"trained: \[MASK\] attends to the \(token 4\) 1\.00\. untrained: \[MASK\] attends to ", said(page))


def test_two_texts_have_a_token_each(open_view: Any) -> None:
    page = open_view("texts")
    page.locator(".side").nth(1).locator(".chip").nth(8).click()
    assert names(page, ".chip[aria-selected=true] bdi") == ["the", "i"]
    assert said(page).startswith("second: i attends to ")
    page.locator(".side").nth(1).locator(".tile").nth(5).click()  # layer 2, which the first does not have
    assert "first: Layer 1, head 1" in said(page)
    assert "second: Layer 2, head 1" in said(page)


def test_files_from_within_the_sandbox_carry_their_words(open_view: Any) -> None:
    page = open_view("one", framed=True)
    frame = page.frame_locator("iframe").first
    frame.locator(".tile").nth(4).click()
    saved = {}
    for kind in ("SVG", "PNG"):
        with page.expect_download() as download:
            frame.get_by_role("button", name=f"Save as {kind}").click()
        assert download.value.suggested_filename == f"attention.{kind.lower()}"
        saved[kind] = Path(download.value.path()).read_bytes()
    words = (
        "Layer 1, head 1 (previous token 100 %). Heat map of attention between 7 tokens: [CLS] the otter likes the "
        "[MASK] [SEP]. Strongest: [CLS] to [CLS] 1.00, the (token 1) to [CLS] 1.00, otter to the (token 1) 1.00. "
        "previous token 100 %, next token 0 %, same token 14 %, delimiters 29 %, entropy 0.00 nats, 0 % of the "
        "largest, mean distance 0.9 tokens."
    )
    tree = ElementTree.fromstring(saved["SVG"].decode())
    assert tree.find("{http://www.w3.org/2000/svg}desc").text == words  # type: ignore[union-attr]
    image = Image.open(io.BytesIO(saved["PNG"]))
    image.load()
    assert image.text["Description"] == words  # type: ignore[attr-defined]
    assert image.width == 2 * int(tree.attrib["width"])
    colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20)}  # type: ignore[union-attr]
    assert {(255, 255, 255), (8, 48, 107)} <= colours  # paper and a weight of 1, whatever the theme


def test_two_views_on_a_page_leave_each_other_alone(open_view: Any) -> None:
    page = open_view("one", framed=True)
    frames = [page.frame_locator("iframe").nth(i) for i in range(2)]
    frames[1].locator(".tile").nth(4).click()
    chosen = [frame.locator(".tile[aria-selected=true]").get_attribute("aria-label")[:15] for frame in frames]
    assert chosen == ["layer 0, head 0", "layer 1, head 1"]


def test_odd_tokens_are_shown_as_they_are(open_view: Any) -> None:
    page = open_view("odd")
    assert page.locator(".chip bdi").all_text_contents() == ODD
    page.locator(".chip").nth(3).click()
    assert said(page).startswith("🦦 attends to ")


def test_one_token_and_many_are_drawn(open_view: Any) -> None:
    assert said(open_view("single")) == "Layer 0, head 0 (same token 100 %). hello attends to itself 1.00."
    page = open_view("long")
    assert page.locator(".chip").count() == 128
    assert page.locator(".cells text").count() == 256


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["one", "steps", "texts", "many"])
def test_axe_finds_nothing(open_view: Any, name: str, dark: bool) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_view(name, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [600, 320])  # 1200 pixels at 200 %, 1280 at 400 %
@pytest.mark.parametrize("name", ["one", "steps", "texts", "many"])
def test_large_letters_need_no_sideways_scrolling(open_view: Any, name: str, width: int) -> None:
    page = open_view(name, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    buttons = page.locator("button, select, input, summary, .tile, .chip")
    sizes = [box for box in (one.bounding_box() for one in buttons.all()[:60]) if box]
    assert min(min(box["width"], box["height"]) for box in sizes) >= 24


def test_a_change_of_theme_is_followed(open_view: Any) -> None:
    page = open_view("one")
    tile = page.locator(".tile").nth(4)
    first = "node => node.firstChild.getContext('2d').getImageData(0, 0, 1, 1).data.join()"
    assert tile.evaluate(first) == "8,48,107,255"
    page.emulate_media(color_scheme="dark")
    wait_until(page, "getComputedStyle(document.documentElement).backgroundColor === 'rgb(17, 20, 23)'")
    wait_until(page, f"({first})(document.querySelectorAll('.tile')[4]) !== '8,48,107,255'")  # the page hears it later
    assert tile.evaluate(first) == "158,203,245,255"
