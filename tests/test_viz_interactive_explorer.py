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
from bertmini.inside.rollout import rollout
from bertmini.viz.interactive.explorer import ALPHABET, LEVELS, bare, encode, explore
from bertmini.viz.interactive.frame import Frame
from tests.notebook_checks import decimals_are_few, no_machine_facts
from tests.strict_nbval import comparable

HERE = Path(__file__).parent
INTERACTIVE = HERE.parent / "bertmini" / "viz" / "interactive"
PROGRAMS = [INTERACTIVE / name for name in ("explorer.js", "explorer_page.js", "explorer.css")]
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


def test_a_weight_is_a_character_and_its_hundredths_are_exact() -> None:
    weights = np.concatenate([np.random.default_rng(0).random(5000), np.linspace(0, 1, 201), [0.0049, 0.0051]])
    text = encode(weights)
    assert len(text) == len(weights)
    levels = np.array([ALPHABET.index(letter) for letter in text])
    inside = weights * LEVELS
    assert ((levels <= inside + 1e-6) & (inside < levels + 1 + 1e-9)).all()
    clear = np.abs(inside / 2 % 1 - 0.5) > 1e-6  # a weight of 0.125 exactly may be called 0.12 or 0.13
    printed = [f"{min((level + 0.5) / LEVELS, 1):.2f}" for level in levels[clear]]
    assert printed == [f"{weight:.2f}" for weight in weights[clear]]


def test_no_letter_has_to_be_escaped() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) > LEVELS
    assert json.dumps(ALPHABET, ensure_ascii=False) == '["' + '", "'.join(ALPHABET) + '"]'
    assert not set("<&\"'") & set(ALPHABET)
    assert not any(letter.isdigit() for letter in ALPHABET)
    assert len("".join(ALPHABET[:60]).encode()) == 60  # small weights take one byte


def test_the_page_gets_weights_words_and_where_to_open() -> None:
    weights = attention(2, 3, 5)
    weights[1, 2] = np.eye(5)[[1, 2, 3, 4, 4]]
    frame = explore(weights, TOKENS, 3, head=(1, 2), place=4)
    data = data_of(frame)
    (side,) = data["sides"]
    assert (side["tokens"], side["layers"], side["heads"]) == (TOKENS, 2, 3)
    assert (side["second"], side["place"], data["start"]) == (3, 4, [1, 2])
    ((step, text, facts, rolled),) = side["steps"]
    assert (step, text) == (0, encode(weights))
    assert rolled == encode(rollout(weights, TOKENS))
    assert len(facts) == 6
    # next token always, but for the last; the delimiter by rows 3 and 4
    assert facts[5] == ["next token 100 %", 0, 100, 20, 40, 0, 0.0, 0.8]


def test_training_steps_become_a_slider() -> None:
    steps = [(step, torch.tensor(attention(2, 2, 5, seed=step))) for step in (0, 10, 200)]
    side = data_of(explore(steps, TOKENS))["sides"][0]
    assert [step for step, *_ in side["steps"]] == [0, 10, 200]
    assert side["steps"][2][1] == encode(attention(2, 2, 5, seed=200))
    assert "at training steps 0, 10, 200" in explore(steps, TOKENS).alt


def test_what_a_model_returns_is_no_list_of_steps() -> None:
    layers = tuple(torch.tensor(attention(1, 2, 5, seed=seed)) for seed in range(3))
    side = data_of(explore(layers, TOKENS))["sides"][0]
    assert (side["layers"], len(side["steps"])) == (3, 1)


def test_two_texts_or_models_stand_side_by_side() -> None:
    other = attention(3, 2, 4, seed=1)
    data = data_of(
        explore(attention(2, 2, 5), TOKENS, beside=(other, ["a", "b", "c", "d"], 2), names=("before", "after"))
    )
    assert [side["name"] for side in data["sides"]] == ["before", "after"]
    assert [side["tokens"] for side in data["sides"]] == [TOKENS, ["a", "b", "c", "d"]]
    assert data["sides"][1]["steps"][0][1] == encode(other)
    assert [side["second"] for side in data["sides"]] == [None, 2]


def test_guesses_are_packed_as_numbers_of_words() -> None:
    whole = Guesses(["otter", "heron"], [0.75, 0.125], 0.75)
    cut = Guesses(["heron", "gecko"], [0.5, 0.25], 0.2)
    data = data_of(explore(attention(1, 2, 5), TOKENS, ablation=[Ablation(2, whole, [[whole, cut]])]))
    assert data["sides"][0]["place"] == 2
    assert data["sides"][0]["guesses"] == {
        "words": ["gecko", "heron", "otter"],
        "places": [[2, [2, 750, 1, 125], [[750, 2, 750, 1, 125], [200, 1, 500, 0, 250]]]],
    }


def test_tokens_cannot_break_out_of_the_page() -> None:
    odd = ["</script>", "<!--", "'\"&", "🦦", "中文"]
    frame = explore(attention(1, 1, 5), odd, title="</title><script>")
    assert data_of(frame)["sides"][0]["tokens"] == odd
    assert frame.html.count("</script>") == 2
    assert "<script>" not in frame.page().split("</title>")[0]


def test_small_and_the_same_every_time() -> None:
    tokens = [f"token{i}" for i in range(32)]
    weights = attention(4, 4, 32)
    page = explore(weights, tokens).page()
    assert len(page.encode()) < 48 * 1024
    assert page == explore(weights, tokens).page()


def test_a_stored_view_is_compared_without_its_data() -> None:
    bundles = [explore(attention(2, 2, 5, seed=seed), TOKENS)._repr_mimebundle_()["text/html"] for seed in (0, 1)]
    stored, fresh = (comparable(html.split("</iframe>")[0]) for html in bundles)
    assert stored == fresh
    assert len(stored) > 15_000  # the program is compared
    assert comparable(bundles[0].replace("levelsOf", "levels")) != comparable(bundles[0])


def test_the_page_names_no_other_page() -> None:
    page = explore(attention(1, 1, 5), TOKENS).page().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page)


def test_words_and_picture_stand_for_the_view() -> None:
    frame = explore(attention(2, 14, 5), TOKENS, title="An otter")
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
        ({"attentions": attention(2, 2, 4)}, "5 tokens, but 4 columns"),
        ({"attentions": attention(2, 2, 5) * 0.9}, "a row sums to 0.900"),
        ({"attentions": None}, "there are no attention weights"),
        ({"attentions": attention(2, 2, 5) * np.nan}, "not all finite"),
        ({"attentions": [(0, attention(2, 2, 5)), (9, attention(1, 2, 5))]}, r"steps have .* \(1, 2\) and \(2, 2\)"),
        ({"head": (2, 0)}, r"head is \(2, 0\): expected a layer below 2 and a head below 2"),
        ({"head": (0, -1)}, r"head is \(0, -1\)"),
        ({"place": 5}, "place is 5: expected one of the tokens 0 to 4"),
        ({"beside": (attention(1, 1, 3), TOKENS)}, "5 tokens, but 3 columns"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"attentions": attention(2, 2, 5), "tokens": TOKENS} | change
    with pytest.raises(ValueError, match=message):
        explore(**given)


def test_one_token_is_enough_and_two_megabytes_are_too_much() -> None:
    assert data_of(explore(np.ones((1, 1, 1, 1)), ["hello"]))["sides"][0]["tokens"] == ["hello"]
    tokens = [f"t{i}" for i in range(128)]
    with pytest.raises(ValueError, match=r"the view would have 2\.\d MB, more than 2: pass fewer layers"):
        explore(attention(12, 12, 128), tokens)


def test_a_notebook_may_store_a_view() -> None:
    shown = nbformat.v4.new_output(
        "display_data", explore(attention(2, 2, 25), [*"abcdefghijklmnopqrstuvwxy"])._repr_mimebundle_()
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("look", execution_count=1, outputs=[shown])])
    assert [*no_machine_facts(notebook), *decimals_are_few(notebook)] == []
