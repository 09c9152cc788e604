"""The command line as a user meets it: short real runs, and every mistake answered by one line and exit code 2."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from small_texts import SMALL, make_corpus

from bertmini import (
    BertForPreTraining,
    FinetuningSettings,
    PretrainingSettings,
    TaggingSettings,
    WordPieceTokenizer,
)
from bertmini.cli import main


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("text") / "animals.txt")


@pytest.fixture(scope="module")
def checkpoint(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "animals"
    assert main(["pretrain", "--corpus", str(corpus), "--out", str(folder), "--steps", "60", *SMALL]) == 0
    return folder


def test_pretrain_leaves_a_whole_checkpoint_and_its_records(checkpoint: Path) -> None:
    names = {path.name for path in checkpoint.iterdir()}
    assert {
        "config.json",
        "model.safetensors",
        "vocab.txt",
        "tokenizer.json",
        "run.json",
        "log.csv",
        "loss.png",
    } <= names
    assert len(WordPieceTokenizer.from_pretrained(checkpoint)) == 120
    assert BertForPreTraining.from_pretrained(checkpoint).config.vocab_size == 120
    assert (checkpoint / "loss.png").read_bytes()[:4] == b"\x89PNG"
    assert (checkpoint / "log.csv").read_text().count("\n") == 62  # the heading, the untrained model, 60 steps


def test_pretrain_learns_and_reports(checkpoint: Path, capsys: pytest.CaptureFixture[str], corpus: Path) -> None:
    assert main(["evaluate", str(checkpoint), "--corpus", str(corpus)]) == 0
    printed = capsys.readouterr().out
    rows = (checkpoint / "log.csv").read_text().splitlines()
    column = rows[0].split(",").index("held_out_mlm_loss")
    before, after = float(rows[1].split(",")[column]), float(rows[-1].split(",")[column])
    assert after < before - 0.5
    assert f"{after:.3f}" in printed
    assert "unigram" in printed
    assert "coin 50.0%" in printed


def test_resume_with_another_wish_is_refused(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", "--out", str(checkpoint), "--resume", "--steps", "61"]) == 2
    assert "was begun with steps 60, now it is to be 61" in capsys.readouterr().err


def test_a_second_run_does_not_overwrite_the_first(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", "--out", str(checkpoint)]) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_the_microworld_run_knows_its_floor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["pretrain", "--out", str(tmp_path / "world"), "--steps", "3", "--batch-size", "16", "--device", "cpu"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "best possible" in printed
    assert "distance from the best" in printed
    assert json.loads((tmp_path / "world" / "run.json").read_text())["preset"] == "nano"


def test_fill_mask_prints_five_guesses_that_are_probabilities(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fill-mask", str(checkpoint), "the [MASK] lives near the harbour [MASK] the sea."]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("[MASK]")] == ["[MASK] 1", "[MASK] 2"]
    shares = [float(line.split("%")[0]) for line in lines if "%" in line]
    assert len(shares) == 10
    assert shares[:5] == sorted(shares[:5], reverse=True)
    assert sum(shares[:5]) <= 100.5


def test_info_counts_every_parameter(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(checkpoint)]) == 0
    printed = capsys.readouterr().out
    parameters = sum(p.numel() for p in BertForPreTraining.from_pretrained(checkpoint).parameters())
    assert f"{parameters:,}" in printed.splitlines()[-1]
    assert "2 layers, 64 wide, 4 heads" in printed


def test_tokenize_shows_pieces_ids_and_text(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokenize", str(checkpoint), "The otter"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["2", "[CLS]"]
    assert rows[1][1:] == ["the", "The"]
    assert rows[-1] == ["3", "[SEP]"]


MISTAKES = [
    (["--steps", "0"], "steps is 0"),
    (["--preset", "huge"], "preset is 'huge'; choose one of nano, tiny"),
    (["--batch-size", "0"], "batch_size is 0"),
    (["--max-length", "4"], "max_length is 4"),
    (["--max-length", "65"], "takes 5 to 64"),
    (["--dropout", "1"], "dropout is 1"),
    (["--threads", "0"], "threads is 0"),
    (["--vocab-size", "100000"], "more than this text can give"),
    (["--device", "abacus"], "unknown device 'abacus'"),
    (["--learning-rate", "-1"], "learning_rate is -1"),
    (["--warmup", "1"], "warmup is 1.0"),
    (["--early-share", "1.5"], "early_share is 1.5"),
    (["--optimizer", "sgd"], "optimizer is 'sgd'; choose one of adamw, muon"),
    (["--schedule", "flat"], "schedule is 'flat'; choose one of linear, cosine, one-cycle"),
    (["--precision", "int8"], "precision is 'int8'; choose one of"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(arguments) for arguments, _ in MISTAKES])
def test_a_mistake_gets_one_line_and_leaves_nothing_behind(
    arguments: list[str], message: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    given = ["pretrain", "--corpus", str(corpus), "--out", str(out), "--preset", "nano", "--max-length", "64"]
    assert main([*given, "--steps", "2", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


UNUSABLE = {
    "empty.txt": (b"", "is empty"),
    "one.txt": (b"Just one sentence stands here.\n", "at least two sentences"),
    "binary.txt": (bytes(range(256)) * 40, "binary.txt"),
    "latin.txt": ("Ein Bär wohnt im Café.\n".encode("latin-1") * 20, "UTF-8"),
    "noise.jsonl": (b"this is no json\n", "noise.jsonl"),
    "table.csv": (b"a,b\n1,2\n", ".csv"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_text_is_named_and_nothing_is_left_behind(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, message = UNUSABLE[name]
    (tmp_path / name).write_bytes(content)
    out = tmp_path / "run"
    assert main(["pretrain", "--corpus", str(tmp_path / name), "--out", str(out), "--steps", "2", *SMALL[:4]]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_few_documents_are_said_to_be_too_few_to_hold_one_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = make_corpus(tmp_path / "few.txt", documents=2)
    arguments = ["pretrain", "--corpus", str(text), "--out", str(tmp_path / "run"), "--steps", "2", "--batch-size", "2"]
    assert main([*arguments, "--preset", "nano", "--max-length", "32"]) == 0
    assert "too few documents to hold one out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fill-mask", "CHECKPOINT", "no blank here"], "has no [MASK]"),
        (["fill-mask", "CHECKPOINT", "[MASK] " * 80], "shorten it"),
        (["fill-mask", "NOWHERE", "a [MASK]"], "no config.json"),
        (["info", "NOWHERE"], "no config.json"),
        (["evaluate", "CHECKPOINT", "--corpus", "NOWHERE.txt"], "NOWHERE.txt"),
    ],
)
def test_mistakes_of_the_other_commands(
    arguments: list[str], message: str, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(checkpoint) if word == "CHECKPOINT" else word for word in arguments]) == 2
    assert message in capsys.readouterr().err


def help_of(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *command: str) -> str:
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert stop.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("pretrain", PretrainingSettings),
        ("finetune classification", FinetuningSettings),
        ("finetune tagging", TaggingSettings),
    ],
)
def test_every_setting_is_an_option_with_its_own_words(
    command: str, kind: type, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = " ".join(help_of(capsys, monkeypatch, *command.split()).split())
    for field in fields(kind):
        name = "checkpoint" if field.name == "checkpoint" else f"--{field.name.replace('_', '-')}"
        assert name in shown
        assert field.metadata["meaning"] in shown


def test_help_names_both_defaults_where_the_corpus_decides(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = " ".join(help_of(capsys, monkeypatch, "pretrain").split())
    assert "what updates the weights (default muon in the microworld, else adamw)" in shown
    assert "sentence pairs in a batch (default 128)" in shown
    assert "of the processor (default 1 in the microworld, else all cores)" in shown
    assert "a file or folder of text (default microworld)" in shown
    shown = " ".join(help_of(capsys, monkeypatch, "finetune", "classification").split())
    assert "at its peak (default 0.04 / width of the model)" in shown
    assert "examples to train on: .tsv or .jsonl --eval" in shown  # it has no default: it must be given


def test_a_picture_that_fails_leaves_the_model_and_says_so(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no room for a picture")

    monkeypatch.setattr("bertmini.runs.pretrain.save", refuse)
    out = tmp_path / "run"
    assert main(["pretrain", "--corpus", str(corpus), "--out", str(out), "--steps", "2", *SMALL]) == 2
    assert f"no room for a picture; the trained model is whole in {out}" in capsys.readouterr().err
    assert BertForPreTraining.from_pretrained(out).config.vocab_size == 120


def test_the_package_runs_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "bertmini", "info", "NOWHERE"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("bertmini info: NOWHERE is not a checkpoint")
