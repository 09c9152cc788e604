"""`python -m bertmini explain` as a user meets it."""

from pathlib import Path

import pytest
from small_models import CONFIG, shaken

from bertmini import BertForPreTraining, WordPieceTokenizer
from bertmini.cli import main
from bertmini.inside.explained import explain_guess
from bertmini.model.pretraining import BertForMaskedLM

WORDS = ["the", "otter", "heron", "sleeps", "near", "river", "."]
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *[f"w{i}" for i in range(CONFIG.vocab_size - 12)]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "small"
    shaken(BertForPreTraining(CONFIG)).save_pretrained(folder)
    WordPieceTokenizer.from_vocab(PIECES).save_pretrained(folder)
    return folder


def test_a_guess_becomes_a_page(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    assert main(["explain", str(checkpoint), "The otter [MASK] .", "--out", str(out)]) == 0
    tokenizer = WordPieceTokenizer.from_pretrained(checkpoint)
    found = explain_guess(BertForMaskedLM.from_pretrained(checkpoint), tokenizer, "The otter [MASK] .")
    page = out.read_text(encoding="utf-8")
    assert f"<h1>Why {found.guess} (" in page
    for name, row in found.scores.items():
        assert f"<th scope=row>{name}</th>" in page
        assert f">{row[1]:.2f}</td>" in page
    assert f"Why {found.guess}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"), [("the otter", "0 [MASK]: expected one"), ("the " * 40 + "[MASK]", "the model 17 positions")]
)
def test_mistakes_end_in_a_line(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    assert main(["explain", str(checkpoint), text, "--out", str(tmp_path / "page.html")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("bertmini explain: ")
    assert message in error
