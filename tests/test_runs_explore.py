"""`python -m bertmini attention` as a user meets it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from small_models import CONFIG, shaken

from bertmini import BertForMaskedLM, BertForPreTraining, BertModel, WordPieceTokenizer
from bertmini.cli import main
from bertmini.inside.attend import attend
from bertmini.runs.fill_mask import fill_mask
from bertmini.viz.interactive.packing import as_letters

WORDS = ["the", "otter", "heron", "sleeps", "near", "river", "."]
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *[f"w{i}" for i in range(CONFIG.vocab_size - 12)]]


def make_checkpoint(folder: Path, model: Any) -> Path:
    shaken(model).save_pretrained(folder)
    WordPieceTokenizer.from_vocab(PIECES).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("runs") / "small", BertForPreTraining(CONFIG))


def data_of(page: Path) -> Any:
    found = re.search("<script type='application/json'>(.*?)</script>", page.read_text(encoding="utf-8"))
    assert found is not None
    return json.loads(found[1])


def test_a_sentence_becomes_a_page(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    assert main(["attention", str(checkpoint), "The otter sleeps.", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"Open {out} in a browser: it needs no network.\n"
    (side,) = data_of(out)["texts"][0]["sides"]
    assert side["tokens"] == ["[CLS]", "the", "otter", "sleeps", ".", "[SEP]"]
    model = BertModel.from_pretrained(checkpoint)
    seen = attend(model, WordPieceTokenizer.from_pretrained(checkpoint), "the otter sleeps.")
    assert side["steps"][0][1].startswith(as_letters(seen.attentions))
    assert "<h1>The otter sleeps.</h1>" in out.read_text(encoding="utf-8")


def test_two_sentences_are_read_together(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert main(["attention", str(checkpoint), "the otter", "the river", "--out", str(out)]) == 0
    (side,) = data_of(out)["texts"][0]["sides"]
    assert side["tokens"] == ["[CLS]", "the", "otter", "[SEP]", "the", "river", "[SEP]"]
    assert side["second"] == 4


def test_another_text_stands_beside(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert main(["attention", str(checkpoint), "the otter", "--beside", "the heron sleeps", "--out", str(out)]) == 0
    assert [side["name"] for side in data_of(out)["texts"][0]["sides"]] == ["the otter", "the heron sleeps"]


def test_a_mask_is_guessed_without_each_head(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    text = "the [MASK] sleeps near the river."
    assert main(["attention", str(checkpoint), text, "--out", str(out)]) == 0
    data = data_of(out)
    ((place, whole, cut),) = data["texts"][0]["sides"][0]["steps"][0][3]
    assert place == 2
    assert len(cut) == CONFIG.num_hidden_layers * CONFIG.num_attention_heads
    model = BertForMaskedLM.from_pretrained(checkpoint)
    (expected,) = fill_mask(model, WordPieceTokenizer.from_pretrained(checkpoint), text)
    assert [data["words"][i] for i in whole[::2]] == [guess.piece for guess in expected]
    assert whole[1::2] == [round(1000 * guess.probability) for guess in expected]


def test_a_page_may_offer_several_texts(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    more = ["--also", "the heron sleeps", "--also", "the [MASK] sleeps"]
    assert main(["attention", str(checkpoint), "the otter", *more, "--out", str(out)]) == 0
    texts = data_of(out)["texts"]
    assert [text["name"] for text in texts] == ["1. the otter", "2. the heron sleeps", "3. the [MASK] sleeps"]
    assert [len(text["sides"][0]["steps"][0][3]) for text in texts] == [0, 0, 1]


def test_any_bert_will_do_where_nothing_is_masked(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "bare", BertModel(CONFIG, add_pooling_layer=False))
    assert main(["attention", str(folder), "the otter", "--out", str(tmp_path / "page.html")]) == 0
    assert len(data_of(tmp_path / "page.html")["texts"][0]["sides"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["CHECKPOINT", " "], "the text is empty: expected a sentence"),
        (["CHECKPOINT", "otter " * 30], "the text has 32 tokens, the model 17 positions; shorten it"),
        (["CHECKPOINT", "otter", "--beside", "otter " * 30], "the text has 32 tokens"),
        (["CHECKPOINT", "otter", "--also", "otter " * 30], "the text has 32 tokens"),
        (["CHECKPOINT", "otter", "--also", "the", "--beside", "heron"], "do not go together: give one or the other"),
        (["CHECKPOINT", "otter", "--out", "page.txt"], "name it page.html"),
        (["CHECKPOINT", "otter", "--out", "NOWHERE/page.html"], "No such file or directory"),
        (["NOWHERE", "otter"], "no folder"),
    ],
)
def test_a_mistake_gets_one_line_and_leaves_nothing_behind(
    arguments: list[str],
    message: str,
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [str(checkpoint) if word == "CHECKPOINT" else word for word in arguments]
    assert main(["attention", *given]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
