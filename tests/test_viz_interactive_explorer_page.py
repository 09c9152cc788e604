"""The explorer as a reader meets it, in Debian's Chromium: keys, pointer, slider, numbers, files, who can use it."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import Visit, visit, wait_until
from PIL import Image
from small_models import CONFIG, shaken
from test_viz_interactive_explorer import attention

from bertmini import BertForMaskedLM, WordPieceTokenizer
from bertmini.inside.ablation import Ablation, Guesses, ablate_heads
from bertmini.inside.attend import attend
from bertmini.inside.patterns import head_patterns
from bertmini.inside.reading import read_text
from bertmini.inside.rollout import rollout
from bertmini.inside.search import search_heads
from bertmini.viz.interactive.explorer import explore
from bertmini.viz.interactive.frame import Frame

TOKENS = ["[CLS]", "the", "otter", "likes", "the", "[MASK]", "[SEP]"]
PLACES = len(TOKENS)
LAST = attention(2, 3, PLACES, seed=400)
LAST[1, 1] = np.eye(PLACES)[[0, 0, 1, 2, 3, 4, 5]]  # a head for the previous token, at the last step
STEPS: Any = [(0, (attention(2, 3, PLACES), TOKENS)), (50, (attention(2, 3, PLACES, seed=50), TOKENS))]
STEPS += [(400, (LAST, TOKENS))]
WHOLE = Guesses(["river", "rain"], [0.75, 0.125], 0.75)
OTHER = Guesses(["rain", "river"], [0.5, 0.25], 0.25)
CUT = [[WHOLE, WHOLE, WHOLE], [WHOLE, OTHER, WHOLE]]

WORDS = [f"w{i}" for i in range(CONFIG.vocab_size - 5)]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
CORPUS = ["w1 w2 w3", "w4 w5 w6 w7", "w8 w9", "w10 w11 w12 w13", "w3 w2 w1"]
MODELS = {step: shaken(BertForMaskedLM(replace(CONFIG, num_hidden_layers=2)), seed=step) for step in (1, 2, 30)}
FOUND = {step: search_heads(model, TOKENIZER, CORPUS) for step, model in MODELS.items()}
ASKED = {"alone": ("w1 [MASK] w2 [MASK]", None), "pair": ("w3 w4", "[MASK] w5"), "no blank": ("w6 w7 w8", None)}
FULL: Any = {
    name: [(step, read_text(model, TOKENIZER, *text, found=FOUND[step])) for step, model in MODELS.items()]
    for name, text in ASKED.items()
}

ODD = ["</script>", "<!--", "'\"&amp;", "🦦", "中文", "", "[SEP]"]


@cache
def view(name: str) -> Frame:
    """A view by name, made once."""
    match name:
        case "one":
            return explore((LAST, TOKENS, 3, [Ablation(5, WHOLE, CUT)]), title="One", place=1)
        case "steps":
            return explore(STEPS, title="Steps")
        case "two":
            return explore((LAST, TOKENS), beside=STEPS[0][1], names=("trained", "untrained"), title="Two")
        case "texts":
            other = (attention(3, 2, 9), [*"abcdefghi"])
            return explore((LAST, TOKENS), beside=other, names=("first", "second"), title="Texts")
        case "odd":
            return explore((LAST, ODD), title="Odd")
        case "many":
            return explore((attention(12, 12, 30), [f"token{i}" for i in range(30)]), title="Many")
        case "long":
            return explore((attention(1, 2, 128), [f"word{i}" for i in range(128)]), title="Long")
        case "single":
            return explore((np.ones((1, 1, 1, 1)), ["hello"]), title="Single")
        case "full":  # all that there is, of a real model
            return explore(FULL, head=(1, 2), title="Full")
        case "counterfactual":
            return explore(FULL["pair"], beside=FULL["pair"], names=("before", "after"), title="Counterfactual")
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
    page.locator("#draw").select_option("numbers")


def test_heads_are_reached_and_told_by_keyboard_alone(open_view: Any) -> None:
    page = open_view("one")
    for _ in range(4):  # three choices, then the heads
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
    for _ in range(5):
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
    controls = ["INPUT", "SELECT", "SELECT", "SELECT", "tile", "chip", "map scroll", "BUTTON", "BUTTON"]
    assert reached[:9] == controls
    assert "BODY" in reached  # and out again


def test_numbers_at_the_tokens_in_the_table_and_under_the_pointer_are_the_weights(open_view: Any) -> None:
    page = open_view("one")
    page.locator(".chip").nth(3).click()
    shown = [text.split()[-1] for text in names(page, ".chip")]
    assert shown == [f"{weight:.2f}" if weight >= 0.005 else "0" for weight in LAST[0, 0, 3]]
    open_numbers(page)
    cells = names(page, ".numbers td")[1:]
    assert cells == [f"{weight:.2f}" for weight in LAST[0, 0].ravel()]
    page.locator("#draw").select_option("map")
    box = page.locator(".cells > rect").first.bounding_box()
    cell = box["width"] / PLACES
    page.mouse.move(box["x"] + 5.5 * cell, box["y"] + 2.5 * cell)
    assert page.locator(".readout").inner_text() == f"otter to [MASK]: {LAST[0, 0, 2, 5]:.2f}"
    page.mouse.click(box["x"] + 5.5 * cell, box["y"] + 2.5 * cell)
    assert said(page).startswith("otter attends to ")
    page.locator(".tile").nth(4).click()
    open_numbers(page)
    assert names(page, ".numbers td")[1:] == [f"{weight:.2f}" for weight in LAST[1, 1].ravel()]


def test_the_other_way_round(open_view: Any) -> None:
    page = open_view("one")
    page.get_by_label("At the tokens").select_option("what attends to the token")
    shown = [text.split()[-1] for text in names(page, ".chip")]
    assert shown == [f"{weight:.2f}" if weight >= 0.005 else "0" for weight in LAST[0, 0, :, 1]]
    assert "the (token 1) is attended to by" in said(page)


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
    assert said(page).startswith("Step 0. Layer 0, head 0")
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
    assert text.startswith("[MASK] without a head\nWith all heads")
    assert names(page, ".bars caption") == ["With all heads", "Without layer 1, head 1"]
    assert names(page, ".bars th") == ["river", "rain", "rain", "river"]
    assert names(page, ".bars td:nth-child(2)") == ["75.0 %", "12.5 %", "50.0 %", "25.0 %"]
    widths = page.locator(".bars i").evaluate_all("bars => bars.map(bar => bar.style.width)")
    assert widths == ["75%", "12.5%", "50%", "25%"]
    assert names(page, ".cuts td")[1:] == ["75.0"] * 4 + ["25.0 → rain", "75.0"]
    assert names(page, ".cuts [aria-current]") == ["25.0 → rain"]


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
        "previous token 100 %, next token 0 %, same token 14 %, delimiters 29 %, entropy 0.00 nats, of the "
        "largest entropy 0 %, mean distance 0.9 tokens."
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
@pytest.mark.parametrize("name", ["one", "steps", "texts", "many", "full"])
def test_axe_finds_nothing(open_view: Any, name: str, dark: bool) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_view(name, dark=dark)
    for drawn in ("map", "numbers", "words"):
        page.locator("#draw").select_option(drawn)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [600, 320])  # 1200 pixels at 200 %, 1280 at 400 %
@pytest.mark.parametrize("name", ["one", "steps", "texts", "many"])
def test_large_letters_need_no_sideways_scrolling(open_view: Any, name: str, width: int) -> None:
    page = open_view(name, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    buttons = page.locator("button, select, input, .tile, .chip")
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


STATES = """([text, step, draw]) => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const texts = (selector) => all(selector).map((one) => one.textContent.trim());
  const set = (id, value, event) => {
    const control = document.getElementById(id);
    control.value = value;
    control.dispatchEvent(new Event(event));
  };
  set('text', text, 'change');
  set('step', step, 'input');
  set('draw', draw, 'change');
  const states = [];
  for (const show of ['head', 'mean', 'rollout']) {
    set('show', show, 'change');
    all('.tile').forEach((_, head) => {
      all('.tile')[head].click();
      const ways = ['what the token attends to', 'what attends to the token'];
      all('.chip').slice(0, draw === 'words' ? 1 : undefined).forEach((_, place) => {
        all('.chip')[place].click();
        for (const way of draw === 'words' ? ways.slice(0, 1) : ways) {
          set('way', way, 'change');
          states.push({
            show, head, place, backwards: way.startsWith('what attends'), said: texts('.spoken')[0],
            chips: texts('.chip span'), tiles: all('.tile').map((one) => one.ariaLabel), step: texts('output')[0],
            drawn: texts('.numbers td').slice(1), words: texts('.alt')[0],
            facts: texts('.facts td'), panel: texts('.without')[0], bars: texts('.bars td:nth-child(2)'),
            guesses: texts('.bars th'), cuts: texts('.cuts td').slice(1), found: texts('.found li b'),
            average: texts('.found p')[0],           });
        }
      });
    });
  }
  return states;
}"""


def taken(weights: Any, tokens: list[str], place: int, *, backwards: bool) -> str:
    """The sentence on one token, from the weights as Python prints them."""

    def called(at: int) -> str:
        return tokens[at] if tokens.count(tokens[at]) == 1 else f"{tokens[at]} (token {at})"

    line = [round(float(weight), 2) for weight in (weights[:, place] if backwards else weights[place])]
    best = [at for at in sorted(range(len(line)), key=lambda at: -line[at])[:3] if line[at] >= 0.05]
    listed = ", ".join(f"{'itself' if at == place else called(at)} {line[at]:.2f}" for at in best)
    verb = "is attended to by" if backwards else "attends to"
    return f"{called(place)} {verb} {listed or 'no token by 0.05 or more'}."


@pytest.mark.parametrize("number", range(len(ASKED)), ids=list(ASKED))
def test_every_number_at_every_position_of_the_controls_is_what_python_computes(open_view: Any, number: int) -> None:
    page = open_view("full")
    text = list(ASKED.values())[number]
    for at, (step, model) in enumerate(MODELS.items()):
        seen = attend(model, TOKENIZER, *text)
        stack, tokens = seen.attentions, seen.tokens
        patterns = [pattern for layer in head_patterns(stack, tokens) for pattern in layer]
        masks = [i for i, token in enumerate(tokens) if token == "[MASK]"]
        ablations = {one.place: one for one in ablate_heads(model, TOKENIZER, tokens, seen.second)} if masks else {}
        shown = {"head": stack.reshape(8, *stack.shape[2:]), "mean": stack.mean(1), "rollout": rollout(stack, tokens)}
        for drawn in ("numbers", "words"):
            states = page.evaluate(STATES, [number, at, drawn])
            assert len(states) == 3 * 8 * (len(tokens) * 2 if drawn == "numbers" else 1)
            for state in states:
                head, place, show = state["head"], state["place"], state["show"]
                layer = head // 4
                weights = shown[show][head if show == "head" else layer]
                pattern = patterns[head]
                heading = {
                    "head": f"Layer {layer}, head {head % 4} ({pattern.words})",
                    "mean": f"Layer {layer}, mean of its heads",
                    "rollout": f"Rollout up to layer {layer}, a heuristic: (A + I)/2 multiplied over the layers",
                }[show]
                sentence = f"Step {step}. {heading}. {taken(weights, tokens, place, backwards=state['backwards'])}"
                assert state["step"] == str(step)
                assert state["tiles"] == [f"layer {i // 4}, head {i % 4}: {patterns[i].words}" for i in range(8)]
                line = weights[:, place] if state["backwards"] else weights[place]
                assert state["chips"] == [f"{weight:.2f}" if weight >= 0.005 else "0" for weight in line]
                if drawn == "numbers":
                    assert state["drawn"] == [f"{weight:.2f}" for weight in weights.ravel()]
                else:
                    assert state["words"].startswith(f"Step {step}. {heading}. Heat map of attention between")
                shares = [f"{100 * share:.0f} %" for share in pattern.shares.values()]
                numbers = [f"{pattern.entropy:.2f} nats", f"{100 * pattern.breadth:.0f} %"]
                assert state["facts"] == [*shares, *numbers, f"{pattern.distance:.1f} tokens"]
                firings = FOUND[step].firings[layer][head % 4]
                words = [FOUND[step].texts[one.text] for one in firings]
                assert state["found"] == [
                    f"{text[one.asks]} to {text[one.asked]} {one.weight:.2f}"
                    for one, text in zip(firings, words, strict=True)
                ]
                assert f"On average over them: {FOUND[step].patterns[layer][head % 4].words}." in state["average"]
                if not masks:
                    assert (state["panel"], state["bars"], state["said"]) == ("", [], sentence)
                    continue
                guess = ablations[place if place in ablations else masks[0]]
                cut = guess.without[layer][head % 4]
                percents = [
                    f"{round(1000 * chance) / 10:.1f} %" for one in (guess.whole, cut) for chance in one.probabilities
                ]
                assert (state["guesses"], state["bars"]) == ([*guess.whole.pieces, *cut.pieces], percents)
                assert state["cuts"] == [
                    f"{round(1000 * one.first) / 10:.1f}"
                    f"{'' if one.pieces[0] == guess.whole.pieces[0] else f' → {one.pieces[0]}'}"
                    for row in guess.without
                    for one in row
                ]
                if show == "head":
                    asked = "[MASK]" if len(masks) == 1 else f"[MASK] (token {guess.place})"
                    sentence += (
                        f" {asked} with all heads: {guess.whole.pieces[0]} {percents[0]}; "
                        f"without this one: {cut.pieces[0]} {percents[5]}."
                    )
                assert state["said"] == sentence


def test_where_words_change_the_two_sides_show_it(open_view: Any) -> None:
    page = open_view("two")
    assert page.locator(".differs").count() == 0
    assert page.locator(".side").count() == 2
    page = open_view("counterfactual")
    assert names(page, "h2") == ["before", "after"]
    assert said(page).count("Step 30. ") == 2
    page.get_by_label("Training step").focus()
    page.keyboard.press("Home")
    assert said(page).count("Step 1. ") == 2
    assert page.locator(".without h3").count() == 2


@pytest.mark.parametrize("width", [400, 720, 1000, 1400])
@pytest.mark.parametrize("name", ["one", "texts", "many", "full", "counterfactual", "single", "long"])
def test_nothing_scrolls_inside_the_notebook(open_view: Any, name: str, width: int) -> None:
    page = open_view(name, framed=True, width=width)
    frame = page.query_selector("iframe").content_frame()
    page.wait_for_timeout(100)
    inner, most, sideways = frame.evaluate(
        """() => {
      const all = (selector) => [...document.querySelectorAll(selector)];
      let [most, sideways] = [0, 0];
      const see = () => {
        most = Math.max(most, document.querySelector('main').getBoundingClientRect().bottom + 8);
        sideways = Math.max(sideways, document.documentElement.scrollWidth - innerWidth);
      };
      const controls = all('#text, #step, #show, #draw');
      const positions = (control) => control.options ?? Array.from({length: +control.max + 1}, (_, i) => ({value: i}));
      for (const control of controls) {
        const before = control.value;
        for (const {value} of [...positions(control), {value: before}]) {
          control.value = value;
          control.dispatchEvent(new Event(control.options ? 'change' : 'input'));
          all('.tile').slice(0, 3).forEach((_, i) => { all('.tile')[i].click(); see(); });
        }
      }
      all('.tile, .chip').slice(0, 60).forEach((_, i) => { all('.tile, .chip')[i].click(); see(); });
      return [innerHeight, most, sideways];
    }"""
    )
    assert sideways == 0
    assert most <= inner
    assert width < 720 or inner - most < 0.15 * inner + 80  # nor is it much too high
