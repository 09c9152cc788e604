"""Vocabulary and model of a checkpoint are compared, by every command that opens both."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_models import CONFIG, shaken

from bertmini import BertForMaskedLM, BertForPreTraining, WordPieceTokenizer, fill_mask
from bertmini.cli import main
from bertmini.inside import ablate_heads
from bertmini.runs.opened import open_tokenizer

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "otter", "heron", "sleeps", "near", "river", "."]


def checkpoint(folder: Path, rows: int) -> Path:
    shaken(BertForPreTraining(replace(CONFIG, vocab_size=rows))).save_pretrained(folder)
    WordPieceTokenizer.from_vocab(PIECES).save_pretrained(folder)
    return folder


COMMANDS = [
    ["fill-mask", "MODEL", "the [MASK] sleeps"],
    ["attention", "MODEL", "the otter", "--out", "page.html"],
    ["attention", "MODEL", "the [MASK]", "--out", "page.html"],
    ["explain", "MODEL", "the [MASK]", "--out", "page.html"],
    ["evaluate", "MODEL", "--corpus", "a.txt"],
    ["finetune", "classification", "MODEL", "--train", "a.tsv", "--eval", "a.tsv", "--out", "out"],
]


@pytest.mark.parametrize("command", COMMANDS)
def test_more_pieces_than_rows_are_refused_before_anything_runs(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint(tmp_path / "model", len(PIECES) - 1)
    (tmp_path / "a.tsv").write_text("text\tlabel\nthe otter\ty\nthe heron\tn\n")
    (tmp_path / "a.txt").write_text("the otter sleeps. the heron sleeps.\n")
    assert main([("model" if word == "MODEL" else word) for word in command]) == 2
    told = capsys.readouterr().err
    assert "model: the vocabulary has 12 pieces, but the model's config.json 11 (vocab_size)" in told
    assert "Traceback" not in told


def test_a_padded_table_is_no_obstacle_and_is_said(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "model", 40)
    with pytest.warns(UserWarning, match="has 12 pieces, the model 40 rows for them; .*vocab.txt was cut off"):
        tokenizer = open_tokenizer(folder)
    model = BertForMaskedLM.from_pretrained(folder)
    with torch.no_grad():
        model.mlm.bias[12:] += 50.0  # the rows without a piece would win everywhere
        encoding = tokenizer.encode("the [MASK] sleeps")
        logits = model(torch.tensor([encoding.ids])).logits[0, 2]
    (guesses,) = fill_mask(model, tokenizer, "the [MASK] sleeps", best=3)
    expected = logits.softmax(-1)[:12].topk(3)
    assert [guess.piece for guess in guesses] == [PIECES[i] for i in expected.indices.tolist()]
    assert [guess.probability for guess in guesses] == pytest.approx(expected.values.tolist(), rel=1e-4)
    (ablation,) = ablate_heads(model, tokenizer, encoding.tokens)
    assert ablation.whole.pieces[:3] == [guess.piece for guess in guesses]
    assert len(fill_mask(model, tokenizer, "the [MASK]", best=99)[0]) == 12


def test_as_many_pieces_as_rows_are_no_word_worth(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    assert len(open_tokenizer(checkpoint(tmp_path / "model", len(PIECES)))) == 12
    assert len(recwarn) == 0
