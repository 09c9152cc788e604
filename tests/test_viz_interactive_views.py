import base64
import json
import re
from typing import Any

import numpy as np
import pytest
import torch
from bertviz import head_view as bare_head_view
from numpy.typing import NDArray
from small_models import CONFIG, shaken

from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.inside.attend import attend
from bertmini.inside.neurons import listen
from bertmini.model.encoder import BertModel
from bertmini.viz.interactive.bertviz import LIMIT, check_size, offline, pack
from bertmini.viz.interactive.frame import Frame
from bertmini.viz.interactive.views import head_view, model_view, neuron_view

ODD = ["[CLS]", "</script>", "<!--", '"quotes"', "it's", "🦞", "字", "; // HACK: {", "[SEP]"]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "##s"])


def weights(layers: int, heads: int, count: int) -> NDArray[np.float64]:
    generator = np.random.default_rng(5)
    raw = np.exp(4 * generator.random((layers, heads, count, count)))
    return np.asarray(raw / raw.sum(-1, keepdims=True))


def data(view: Frame) -> Any:
    """What the view's script reads."""
    found = re.search(r'<script id="bertviz-data" type="application/json">(.*?)</script>', view.html)
    assert found is not None
    return json.loads(found[1])


def unpacked(packed: dict[str, Any]) -> NDArray[np.float64]:
    """What the page makes of packed numbers, done here once more."""
    codes = np.frombuffer(base64.b64decode(packed["uri"].split(",")[1]), f"<u{packed['bits'] // 8}")
    return np.asarray(packed["low"] + codes / (2 ** packed["bits"] - 1) * (packed["high"] - packed["low"])).reshape(
        packed["shape"]
    )


@pytest.mark.parametrize(("count", "bits"), [(9, 8), (64, 8), (65, 16)])
def test_the_weights_arrive_within_half_a_step(count: int, bits: int) -> None:
    stack = weights(2, 3, count)
    packed = data(head_view(stack, [f"t{i}" for i in range(count)]))["packed"]["attn"]
    assert packed["bits"] == bits
    assert np.abs(unpacked(packed) - stack).max() <= 0.5 / (2**bits - 1) + 1e-12


def test_what_bertviz_was_told_arrives() -> None:
    view = head_view(weights(4, 3, 9), ODD, layer=2, heads=[1], layers=[2, 3], title="Two of four")
    params = data(view)["params"]
    assert (params["layer"], params["heads"], params["include_layers"]) == (2, [1], [2, 3])
    assert params["attention"]["0"]["left_text"] == params["attention"]["0"]["right_text"] == ODD
    assert params["root_div_id"] == "bertviz"
    assert '<div id="bertviz"' in view.html
    assert view.title == "Two of four"
    assert np.abs(unpacked(data(view)["packed"]["attn"]) - weights(4, 3, 9)[2:]).max() < 0.002


def test_a_pair_has_five_parts_of_one_whole() -> None:
    params = data(model_view(weights(2, 3, 9), ODD, 4))["params"]
    assert {key: (part["rows"], part["columns"]) for key, part in params["attention"].items()} == {
        "0": ([0, 9], [0, 9]),
        "1": ([0, 4], [0, 4]),
        "2": ([4, 9], [4, 9]),
        "3": ([0, 4], [4, 9]),
        "4": ([4, 9], [0, 4]),
    }
    assert params["attention"]["3"]["right_text"] == ODD[4:]
    assert params["total_heads"] == 8  # so that the tiles of three heads are not as tall as a page


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_the_view_asks_nobody_and_holds_no_token_as_html(draw: Any) -> None:
    html = draw(weights(2, 3, 9), ODD).html
    assert "https://" not in re.sub(r"https://github\.com/\S+", "", html)  # bertviz's script says where it is from
    assert "require.config" not in html
    assert html.count("</script>") == html.count("<script") == 4
    assert html.count("<!--") == 1  # the credits
    assert len(html) < 60_000


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_the_same_attention_gives_the_same_bytes(draw: Any) -> None:
    first, second = (draw(weights(2, 3, 9), ODD) for _ in range(2))
    assert first.html == second.html
    assert first.alt == second.alt


def test_still_pictures_show_what_the_view_shows_first() -> None:
    stack = weights(3, 4, 9)
    assert "Grid of 1 layer by 4 heads" in head_view(stack, ODD, layer=2).alt
    assert "layer 2: broad" in head_view(stack, ODD, layer=2).alt
    assert "Layer 2, head 1. Heat map of attention. 9 tokens" in head_view(stack, ODD, layer=2, heads=[1]).alt
    assert "Grid of 3 layers by 2 heads" in model_view(stack, ODD, heads=[1, 3]).alt
    assert "Grid of 1 layer by 12 heads" in head_view(weights(1, 16, 9), ODD).alt


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layer": 4}, r"layer 4 is not among those to choose from: expected one of \[0, 1\]"),
        ({"layers": [1]}, r"layer 0 is not among those to choose from: expected one of \[1\]"),
        ({"layers": [1, 2]}, "there is no layer 2: expected 0 to 1"),
        ({"heads": [-1]}, "there is no head -1: expected 0 to 2"),
        ({"heads": []}, "no head is chosen: expected some of 0 to 2"),
        ({"second": 9}, "the second sentence begins at token 9: expected 1 to 8, or None"),
        ({"second": 0}, "the second sentence begins at token 0"),
        ({"tokens": ODD[1:]}, "8 tokens, but 9 columns"),
    ],
)
def test_wrong_choices_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        head_view(weights(2, 3, 9), **{"tokens": ODD, **wrong})


def test_what_no_page_can_bear_is_refused_with_the_cure() -> None:
    with pytest.raises(ValueError, match=r"6.3 MB, expected at most 2 MB: show fewer layers, as in layers=\[0, 1\]"):
        head_view(np.full((12, 12, 128, 128), 1 / 128), ["t"] * 128)
    with pytest.raises(ValueError, match="331,776 lines are more than a browser draws at ease"):
        model_view(np.full((12, 12, 48, 48), 1 / 48), ["t"] * 48)
    with pytest.raises(ValueError, match=r"the view would take 2.0 MB"):
        check_size((1, 1, 8, 8), LIMIT * 6 // 16)


def test_neuron_view_has_queries_and_keys_that_make_the_weights() -> None:
    model = shaken(BertModel(CONFIG))
    view = neuron_view(*listen(model, TOKENIZER, "the cats", "sat"), layer=3, head=1)
    packed = {name: unpacked(numbers) for name, numbers in data(view)["packed"].items()}
    assert packed["queries"].shape == packed["keys"].shape == (5, 4, 7, 5)
    scores = packed["queries"] @ packed["keys"].swapaxes(-1, -2) / np.sqrt(5)
    again = torch.from_numpy(scores).softmax(-1).numpy()
    assert np.abs(again - attend(model, TOKENIZER, "the cats", "sat").attentions).max() < 0.001
    assert np.abs(again - packed["attn"]).max() < 0.004
    params = data(view)["params"]
    assert (params["layer"], params["head"], params["bidirectional"]) == (3, 1, True)
    assert params["attention"]["ab"]["rows"] == [0, 5]
    assert params["attention"]["ab"]["columns"] == [5, 7]
    assert params["attention"]["ab"]["right_text"] == ["sat", "[SEP]"]
    assert view.html.count("</script>") == view.html.count("<script") == 5


def test_no_such_layer_or_head_of_a_model() -> None:
    neurons = listen(BertModel(CONFIG), TOKENIZER, "the cat")
    with pytest.raises(ValueError, match="there is no layer 5: expected 0 to 4"):
        neuron_view(*neurons, layer=5)
    with pytest.raises(ValueError, match="there is no head 4: expected 0 to 3"):
        neuron_view(*neurons, head=4)
    with pytest.raises(ValueError, match=r"the keys have the shape \(5, 4, 3, 5\): expected \(5, 4, 4\) and the size"):
        neuron_view(*neurons._replace(keys=neurons.keys[:, :, 1:]))


def test_neuron_view_shows_tokens_as_they_are() -> None:
    odd = ["[CLS]", "Ġ</script>", "[SEP]", "▁a", "[CLS]", "字"]
    vectors = np.random.default_rng(0).normal(size=(2, 3, 6, 4))
    parts = data(neuron_view(weights(2, 3, 6), odd, 3, vectors, -vectors))["params"]["attention"]
    assert parts["all"]["left_text"] == parts["all"]["right_text"] == odd
    assert (parts["ab"]["left_text"], parts["ab"]["right_text"]) == (odd[:3], odd[3:])


def test_another_bertviz_is_noticed() -> None:
    html = bare_head_view([torch.eye(2)[None, None]], ["a", "b"], html_action="return").data
    assert "Layer:" in offline(html, ["a", "b"], None, hint="Point", label="Two tokens", swaps={})
    for changed, message in (
        (html.replace("const params = ", "let params = "), "has no parameters: is it another version"),
        (html.replace("require.min.js", "require.js"), "0 times, not once"),
        (html + "require.config({ paths: {} });", "2 times, not once"),
    ):
        with pytest.raises(RuntimeError, match=message):
            offline(changed, ["a", "b"], None, hint="Point", label="Two tokens", swaps={})


def test_a_place_that_bertviz_no_longer_has_is_noticed() -> None:
    html = bare_head_view([torch.eye(2)[None, None]], ["a", "b"], html_action="return").data
    with pytest.raises(RuntimeError, match="0 times, not once"):
        offline(html, ["a", "b"], None, hint="Point", label="Two", swaps={"const BOXWIDTH = 111;": ""})


def test_stills_say_what_their_view_is_for() -> None:
    stack, vectors = weights(2, 3, 9), np.random.default_rng(0).normal(size=(2, 3, 9, 4))
    lines = head_view(stack, ODD, layer=1, heads=[2], place=5)
    assert "Layer 1, head 2. Lines from one token" in lines.alt
    assert f"🦞 (token 5) attends to {ODD[int(stack[1, 2, 5].argmax())]} {stack[1, 2, 5].max():.2f}" in lines.alt
    products = neuron_view(stack, ODD, None, vectors, vectors, layer=1, head=2, place=5)
    scores = vectors[1, 2] @ vectors[1, 2, 5] / 2
    assert "Heat map of query times key for 🦞" in products.alt
    assert f"Largest score: {ODD[int(scores.argmax())]} {scores.max():.2f}" in products.alt
    assert lines.picture is not None
    assert products.picture is not None
    assert lines.picture.alt != products.picture.alt


def test_packing_by_hand() -> None:
    assert unpacked(pack(np.array([[-2.0, 0.0], [1.0, 2.0]]), 16, -2.0, 2.0)) == pytest.approx(
        np.array([[-2, 0], [1, 2]]), abs=4e-5
    )
