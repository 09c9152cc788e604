"""The command line as a user meets it: short real runs, and every mistake answered by one line and exit code 2."""

import json
import random
import shutil
from pathlib import Path

import pytest
import torch

from bertmini import BertForPreTraining, WordPieceTokenizer
from bertmini.__main__ import main
from bertmini.runs.fill_mask import blank_out, fill_mask

ANIMALS = ["heron", "otter", "badger", "lobster", "walrus", "gecko", "beetle", "magpie"]
PLACES = ["harbour", "library", "bakery", "orchard", "station", "quarry"]
HABITS = ["counts the spoons", "hides a map", "mends the clock", "reads old letters", "paints every door"]


def make_corpus(path: Path, documents: int = 60) -> Path:
    """Write a small English of our own: three sentences about one animal in each document."""
    draw = random.Random(5)
    lines = []
    for _ in range(documents):
        animal, place = draw.choice(ANIMALS), draw.choice(PLACES)
        lines.append(f"The {animal} lives near the {place} by the sea.")
        lines.append(f"Every morning the {animal} {draw.choice(HABITS)} and complains.")
        lines.append(f"Nobody at the {place} has asked the {animal} why it does so.\n")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("text") / "animals.txt")


SMALL = ["--preset", "nano", "--max-length", "64", "--vocab-size", "120", "--batch-size", "16", "--device", "cpu"]


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


def test_resume_ends_where_an_uninterrupted_run_ends(corpus: Path, checkpoint: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    arguments = ["pretrain", "--corpus", str(corpus), "--out", str(torn), "--steps", "60", *SMALL]
    assert main(arguments) == 0
    for folder in sorted((torn / "checkpoints").iterdir())[1:]:  # as if killed after the last but one checkpoint
        shutil.rmtree(folder)
    (torn / "model.safetensors").unlink()
    assert main([*arguments, "--resume"]) == 0
    whole, resumed = (BertForPreTraining.from_pretrained(folder).state_dict() for folder in (checkpoint, torn))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


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


def test_fill_mask_equals_the_full_softmax(checkpoint: Path) -> None:
    model = BertForPreTraining.from_pretrained(checkpoint)
    tokenizer = WordPieceTokenizer.from_pretrained(checkpoint)
    (guesses,) = fill_mask(model, tokenizer, "every morning the [MASK] counts", "nobody has asked", best=3)
    encoding = tokenizer.encode("every morning the [MASK] counts", "nobody has asked")
    with torch.no_grad():
        logits = model(torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])).prediction_logits
    expected = logits[0, encoding.ids.index(tokenizer.mask_id)].softmax(-1)
    for guess in guesses:
        assert guess.probability == pytest.approx(float(expected[tokenizer.vocab[guess.piece]]), abs=1e-6)
    assert guesses[0].piece == tokenizer.pieces[int(expected.argmax())]


def test_blank_out_hides_a_word_that_is_one_piece() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "otter", "lob", "##ster", "."]
    )
    assert blank_out("The lobster, the otter.", tokenizer) == ("The lobster, the [MASK].", "otter")
    assert blank_out("Lobster.", tokenizer) is None


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
    (["--preset", "huge"], "unknown preset 'huge'"),
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


def test_help_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["pretrain", "--help"])
    assert stop.value.code == 0
    assert "--corpus" in capsys.readouterr().out
