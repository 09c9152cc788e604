"""The explorer without a browser: what it is given and gives, and the functions of its program by Node."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bertmini.inside.ablation import Ablation, Guesses
from bertmini.viz.interactive.explorer import bare, explore
from bertmini.viz.interactive.frame import Frame
from tests.notebook_checks import decimals_are_few, no_machine_facts
from tests.strict_nbval import comparable

HERE = Path(__file__).parent
INTERACTIVE = HERE.parent / "bertmini" / "viz" / "interactive"
PROGRAMS = [INTERACTIVE / name for name in ("explorer.js", "explorer_panels.js", "explorer_page.js", "explorer.css")]
TOKENS = ["[CLS]", "the", "otter", "sleeps", "[SEP]"]


def attention(layers: int, heads: int, count: int, seed: int = 0) -> NDArray[np.float64]:
    """Random weights, rows of which sum to 1."""
    scores = np.exp(2 * np.random.default_rng(seed).normal(size=(layers, heads, count, count)))
    return scores / scores.sum(-1, keepdims=True)


def data_of(frame: Frame) -> Any:
    """What the page is given."""
    found = re.search("<script type='application/json'>(.*?)</script>", frame.html)
    assert found is not None
    return json.loads(found[1])


def test_the_functions_of_the_program_do_as_they_should() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js here: apt-get install nodejs")
    done = subprocess.run([node, "--test", HERE / "explorer.test.cjs"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"pass (\d+)", done.stdout)


def test_the_page_gets_what_to_show_and_where_to_open() -> None:
    data = data_of(explore((attention(2, 3, 5), TOKENS, 3), head=(1, 2), place=4))
    ((text,), (side,)) = data["texts"], data["texts"][0]["sides"]
    assert (text["name"], data["start"], data["words"], data["found"]) == ("", [1, 2], [], [])
    assert (side["tokens"], side["layers"], side["heads"], side["second"], side["place"]) == (TOKENS, 2, 3, 3, 4)


def test_training_steps_become_a_slider() -> None:
    steps = [(step, (torch.tensor(attention(2, 2, 5, seed=step)), TOKENS)) for step in (0, 10, 200)]
    frame = explore(steps)
    assert [step for step, *_ in data_of(frame)["texts"][0]["sides"][0]["steps"]] == [0, 10, 200]
    assert "at training steps 0, 10, 200" in frame.alt


def test_what_a_model_returns_is_one_reading() -> None:
    layers = tuple(torch.tensor(attention(1, 2, 5, seed=seed)) for seed in range(3))
    (side,) = data_of(explore((layers, TOKENS)))["texts"][0]["sides"]
    assert (side["layers"], len(side["steps"])) == (3, 1)


def test_two_texts_or_models_stand_side_by_side() -> None:
    other = (attention(3, 2, 4, seed=1), ["a", "b", "c", "d"], 2)
    (text,) = data_of(explore((attention(2, 2, 5), TOKENS), beside=other, names=("before", "after")))["texts"]
    assert [side["name"] for side in text["sides"]] == ["before", "after"]
    assert [side["tokens"] for side in text["sides"]] == [TOKENS, ["a", "b", "c", "d"]]
    assert [side["second"] for side in text["sides"]] == [None, 2]


def test_several_texts_become_a_choice() -> None:
    shown = {name: (attention(2, 2, 5, seed=seed), TOKENS) for seed, name in enumerate(("one", "other"))}
    frame = explore(shown)
    assert [text["name"] for text in data_of(frame)["texts"]] == ["one", "other"]
    assert frame.picture is not None
    assert "one: the attends to" in frame.picture.alt
    pairs = data_of(explore(shown, beside=shown))["texts"]
    assert [len(text["sides"]) for text in pairs] == [2, 2]
    with pytest.raises(ValueError, match=r"beside has the texts \['one'\]: expected the same as are shown"):
        explore(shown, beside={"one": shown["one"]})


def test_the_still_of_several_readings_is_one_token_in_each() -> None:
    whole = Guesses(["otter", "heron"], [0.75, 0.125], 0.75)
    steps: Any = [(step, (attention(2, 2, 5, seed=step), TOKENS)) for step in (0, 10)]
    steps[1] = (10, (*steps[1][1], None, [Ablation(2, whole, [[whole] * 2] * 2)]))
    picture = explore(steps, head=(1, 0), title="Forming").picture
    assert picture is not None
    best = [int(weights[1, 0, 2].argmax()) for _, (weights, *_) in steps]
    top = [f"{TOKENS[i]} {weights[1, 0, 2, i]:.2f}" for i, (_, (weights, *_)) in zip(best, steps, strict=True)]
    assert picture.alt.startswith(
        f"Forming: layer 1, head 0. Heat map, a row for each reading. step 0: otter attends to {top[0]}"
    )
    assert f"; step 10: otter attends to {top[1]}" in picture.alt
    assert picture.alt.endswith("(otter 75 %).")


def test_tokens_cannot_break_out_of_the_page() -> None:
    odd = ["</script>", "<!--", "'\"&", "🦦", "中文"]
    frame = explore((attention(1, 1, 5), odd), title="</title><script>")
    assert data_of(frame)["texts"][0]["sides"][0]["tokens"] == odd
    assert frame.html.count("</script>") == 2
    assert "<script>" not in frame.page().split("</title>")[0]


def test_small_and_the_same_every_time() -> None:
    tokens = [f"token{i}" for i in range(32)]
    weights = attention(4, 4, 32)
    page = explore((weights, tokens)).page()
    assert len(page.encode()) < 56 * 1024
    assert page == explore((weights, tokens)).page()


def test_a_stored_view_is_compared_without_its_data() -> None:
    bundles = [explore((attention(2, 2, 5, seed=seed), TOKENS))._repr_mimebundle_()["text/html"] for seed in (0, 1)]
    stored, fresh = (comparable(html.split("</iframe>")[0]) for html in bundles)
    assert stored == fresh
    assert len(stored) > 15_000  # the program is compared
    assert comparable(bundles[0].replace("weightsOf", "weights")) != comparable(bundles[0])


def test_the_page_names_no_other_page() -> None:
    page = explore((attention(1, 1, 5), TOKENS)).page().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page)


def test_words_and_picture_stand_for_the_view() -> None:
    frame = explore((attention(2, 14, 5), TOKENS), title="An otter")
    assert frame.alt.startswith("An otter. 2 layers by 14 heads between 5 tokens: [CLS] the otter sleeps [SEP].")
    assert "It does not yet say why" in frame.alt
    assert frame.picture is not None
    assert frame.picture.alt.startswith("An otter. Grid of 2 layers by 12 heads")
    assert frame.downloads


def test_nothing_moves_and_no_line_ends_in_a_comment() -> None:
    for program in PROGRAMS:
        text = program.read_text(encoding="utf-8")
        assert not re.search(r"transition|animation|setInterval|scroll-behavior", text)
        for line in bare(text).splitlines():
            assert not re.search(r"(^|\s)//(\s|$)", line), line


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shown": (attention(2, 2, 4), TOKENS)}, "5 tokens, but 4 columns"),
        ({"shown": (attention(2, 2, 5) * 0.9, TOKENS)}, "a row sums to 0.900"),
        ({"shown": (None, TOKENS)}, "there are no attention weights"),
        ({"shown": (attention(2, 2, 5) * np.nan, TOKENS)}, "not all finite"),
        ({"shown": attention(2, 2, 5)}, "expected a reading, as read_text or attend return it"),
        ({"shown": []}, r"expected a reading, .*, or a list of \(training step, reading\)"),
        ({"shown": {}}, "there is no text to choose"),
        (
            {"shown": [(0, (attention(2, 2, 5), TOKENS)), (9, (attention(1, 2, 5), TOKENS))]},
            "step 9 has other layers, heads or tokens than step 0",
        ),
        ({"head": (2, 0)}, r"head is \(2, 0\): expected a layer below 2 and a head below 2"),
        ({"head": (0, -1)}, r"head is \(0, -1\)"),
        ({"place": 5}, "place is 5: expected one of the tokens 0 to 4"),
        ({"beside": (attention(1, 1, 3), TOKENS)}, "5 tokens, but 3 columns"),
        (
            {
                "shown": [(step, (attention(2, 2, 5), TOKENS)) for step in (0, 5)],
                "beside": [(step, (attention(2, 2, 5), TOKENS)) for step in (0, 6)],
            },
            r"the training steps \[0, 5\] and \[0, 6\]: expected the same, or one step",
        ),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"shown": (attention(2, 2, 5), TOKENS)} | change
    with pytest.raises(ValueError, match=message):
        explore(**given)


def test_one_token_is_enough_and_two_megabytes_are_too_much() -> None:
    assert data_of(explore((np.ones((1, 1, 1, 1)), ["hello"])))["texts"][0]["sides"][0]["tokens"] == ["hello"]
    tokens = [f"t{i}" for i in range(128)]
    with pytest.raises(ValueError, match=r"the view would have 2\.\d MB, more than 2: pass fewer texts"):
        explore((attention(12, 12, 128), tokens))


def test_a_notebook_may_store_a_view() -> None:
    shown = nbformat.v4.new_output(
        "display_data", explore((attention(2, 2, 25), [*"abcdefghijklmnopqrstuvwxy"]))._repr_mimebundle_()
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("look", execution_count=1, outputs=[shown])])
    assert [*no_machine_facts(notebook), *decimals_are_few(notebook)] == []
