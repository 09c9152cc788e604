"""`finetune classification` as a user meets it: short real runs, and every mistake answered by one line."""

import errno
import json
import os
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
import transformers
from PIL import Image
from torch import nn

from bertmini import (
    BertConfig,
    BertForPreTraining,
    BertForSequenceClassification,
    FinetuningSettings,
    WordPieceTokenizer,
    finetune,
)
from bertmini.cli import main
from bertmini.printing import visible
from bertmini.runs.finetune import build_classifier, prepare, train_best
from bertmini.runs.held_out import predict
from bertmini.runs.settings import settle
from bertmini.training.best_epoch import BestEpoch

TASTES = {"good": ["warm", "fresh", "crisp"], "bad": ["cold", "stale", "burnt"], "so-so": ["plain", "small", "late"]}
DISHES = ["soup", "pie", "bread", "salad", "tea"]
WORDS = ["the", "was", "and", "not", *DISHES, *(word for words in TASTES.values() for word in words)]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
CONFIG = BertConfig(
    vocab_size=len(TOKENIZER),
    hidden_size=20,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=37,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    max_position_embeddings=17,
    initializer_range=0.2,
)


class Files(NamedTuple):
    checkpoint: Path
    train: Path
    eval: Path


def rows(count: int, seed: int) -> list[tuple[str, str]]:
    draw = random.Random(seed)
    labels = [draw.choice(list(TASTES)) for _ in range(count)]
    texts = (f"The {draw.choice(DISHES)} and the {draw.choice(DISHES)} was {draw.choice(TASTES[x])}" for x in labels)
    return list(zip(texts, labels, strict=True))


def write_tsv(path: Path, lines: list[tuple[str, ...]]) -> Path:
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("dishes")
    torch.manual_seed(0)
    BertForPreTraining(CONFIG).save_pretrained(folder / "checkpoint")
    TOKENIZER.save_pretrained(folder / "checkpoint")
    heading = [("text", "label")]
    train = write_tsv(folder / "train.tsv", [*heading, *rows(120, seed=1)])
    return Files(folder / "checkpoint", train, write_tsv(folder / "eval.tsv", [*heading, *rows(40, seed=2)]))


def arguments(files: Files, out: Path, *more: str) -> list[str]:
    given = ["finetune", "classification", str(files.checkpoint), "--train", str(files.train)]
    quick = ["--epochs", "1", "--batch-size", "8", "--learning-rate", "5e-3", "--device", "cpu", "--threads", "1"]
    return [*given, "--eval", str(files.eval), "--out", str(out), *quick, *more]


@pytest.fixture(scope="module")
def result(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results") / "dishes"
    assert main(arguments(files, out, "--epochs", "8", "--patience", "8", "--dropout", "0")) == 0
    return out


def test_the_result_is_whole_and_nothing_else_is_left(result: Path) -> None:
    assert {path.name for path in result.iterdir()} == {
        "config.json",
        "model.safetensors",
        "vocab.txt",
        "tokenizer.json",
        "tokenizer_config.json",
        "finetune.json",
        "confusion.png",
    }
    assert [path.name for path in result.parent.iterdir()] == ["dishes"]
    assert Image.open(result / "confusion.png").info["Description"].startswith("Epoch ")


def test_it_learns_and_the_record_says_how(result: Path, files: Files) -> None:
    record = json.loads((result / "finetune.json").read_text())
    accuracies = [epoch["accuracy"] for epoch in record["epochs"]]
    assert accuracies[record["best_epoch"]] == max(accuracies[1:]) > 0.9
    assert sum(map(sum, record["confusion_matrix"])) == 40
    assert record["asked"]["train"] == str(files.train)
    assert record["asked"]["learning_rate"] == 5e-3


def test_the_saved_model_is_the_best_epoch_and_knows_its_classes(result: Path, files: Files) -> None:
    model = BertForSequenceClassification.from_pretrained(result)
    assert model.config.labels == ("bad", "good", "so-so")
    settings = settle(FinetuningSettings(checkpoint=files.checkpoint, train=files.train, eval=files.eval))
    logits, actual = predict(model, prepare(settings, TOKENIZER).batches)
    record = json.loads((result / "finetune.json").read_text())
    best = record["epochs"][record["best_epoch"]]
    assert float((logits.argmax(1) == actual).float().mean()) == pytest.approx(best["accuracy"])
    assert float(nn.functional.cross_entropy(logits, actual)) == pytest.approx(best["loss"], abs=1e-5)


def test_hugging_face_gives_the_same_answers_by_name(result: Path) -> None:
    model = BertForSequenceClassification.from_pretrained(result)
    theirs = transformers.BertForSequenceClassification.from_pretrained(result)
    assert theirs.config.id2label == {0: "bad", 1: "good", 2: "so-so"}
    assert theirs.config.label2id == {"bad": 0, "good": 1, "so-so": 2}
    ids = torch.tensor([transformers.AutoTokenizer.from_pretrained(result)("The tea was burnt")["input_ids"]])
    assert ids.tolist() == [TOKENIZER.encode("The tea was burnt").ids]
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, theirs(ids).logits, rtol=0, atol=1e-5)


def test_what_is_printed(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(files, tmp_path / "again")) == 0
    lines = capsys.readouterr().out.splitlines()
    record = json.loads((tmp_path / "again" / "finetune.json").read_text())
    (best,) = (line.split() for line in lines if "best, kept" in line)
    assert best[0] == str(record["best_epoch"])
    assert best[2] == f"{record['epochs'][record['best_epoch']]['accuracy']:.1%}"
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    assert [name for name in names if name in TASTES] == ["bad", "good", "so-so"]
    assert any("confusion.png" in line for line in lines)


def test_the_same_seed_gives_the_same_weights(files: Files, tmp_path: Path) -> None:
    for name, seed in (("one", "0"), ("same", "0"), ("other", "1")):
        assert main(arguments(files, tmp_path / name, "--seed", seed)) == 0
    one, same, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "same", "other"))
    assert one == same != other


def test_from_scratch_takes_the_shape_and_not_the_weights(files: Files) -> None:
    settings = FinetuningSettings(checkpoint=files.checkpoint, train=files.train, eval=files.eval, dropout=0.25)
    before = BertForPreTraining.from_pretrained(files.checkpoint).bert.state_dict()
    tuned, scratch = (build_classifier(replace(settings, from_scratch=flag), ("a", "b")) for flag in (False, True))
    assert all(torch.equal(tensor, before[name]) for name, tensor in tuned.bert.state_dict().items())
    assert not torch.equal(scratch.bert.embeddings.word.weight, before["embeddings.word.weight"])
    assert scratch.bert.embeddings.word.weight.shape == before["embeddings.word.weight"].shape
    assert {module.p for module in tuned.modules() if isinstance(module, nn.Dropout)} == {0.25}


def test_pairs_in_jsonl_with_other_names_and_two_numbers_for_classes(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(name: str, count: int) -> str:
        objects = [
            {"said": text, "asked": f"was the {DISHES[i % 5]} cold", "same": int(DISHES[i % 5] in text)}
            for i, (text, _) in enumerate(rows(count, seed=count))
        ]
        (tmp_path / name).write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
        return str(tmp_path / name)

    given = ["finetune", "classification", str(files.checkpoint), "--train", write("a.jsonl", 30), "--epochs", "1"]
    names = ["--text-column", "said", "--pair-column", "asked", "--label-column", "same", "--device", "cpu"]
    assert main([*given, "--eval", write("b.jsonl", 10), "--out", str(tmp_path / "out"), *names]) == 0
    assert BertForSequenceClassification.from_pretrained(tmp_path / "out").config.labels == ("0", "1")
    assert "10 examples" in capsys.readouterr().out


def test_fewer_examples_than_a_batch_and_an_empty_folder_are_fine(files: Files, tmp_path: Path) -> None:
    few = write_tsv(tmp_path / "few.tsv", [("the soup was cold", "0"), ("the pie was warm", "1")])
    (tmp_path / "out").mkdir()
    given = ["finetune", "classification", str(files.checkpoint), "--train", str(few), "--eval", str(few)]
    columns = ["--text-column", "1", "--label-column", "2", "--epochs", "1", "--device", "cpu"]
    assert main([*given, "--out", str(tmp_path / "out"), *columns]) == 0
    assert json.loads((tmp_path / "out" / "finetune.json").read_text())["best_epoch"] == 1


def test_notes_on_leaks_and_cuts(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--eval", str(files.train), "--epochs", "1", "--max-length", "5"]
    assert main(arguments(files, tmp_path / "out", *more)) == 0
    printed = capsys.readouterr().out
    assert "120 of 120 evaluation texts also stand in the training file" in printed
    assert "120 of 120 training texts fill all 5 tokens" in printed


# ---- the best epoch ----


def test_early_stopping_ends_a_real_run(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--epochs", "30", "--patience", "1", "--learning-rate", "1e-9"]
    assert main(arguments(files, tmp_path / "out", *more, "--dropout", "0")) == 0
    record = json.loads((tmp_path / "out" / "finetune.json").read_text())
    assert len(record["epochs"]) < 31
    assert "stopped early: no better epoch among the last 1" in capsys.readouterr().out


def test_ctrl_c_keeps_the_best_epoch(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge_twice(self: BestEpoch, model: nn.Module, before: object = BestEpoch.__call__) -> dict[str, float]:
        if len(self.epochs) == 2:
            raise KeyboardInterrupt
        return before(self, model)  # type: ignore[operator, no-any-return]

    monkeypatch.setattr(BestEpoch, "__call__", judge_twice)
    settings = FinetuningSettings(checkpoint=files.checkpoint, train=files.train, eval=files.eval)
    result = finetune(settings, tmp_path / "out", device="cpu", progress=False)
    assert (result.best.number, result.notes[-1]) == (1, "stopped by Ctrl-C")
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_ctrl_c_before_the_first_epoch_leaves_nothing(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BestEpoch, "__call__", interrupt)
    assert main(arguments(files, tmp_path / "out")) == 130
    assert list(tmp_path.iterdir()) == []


# ---- what comes after training cannot cost the weights ----


@pytest.mark.parametrize("broken", ["finetune.save", "finetune.report", "finetune.write_record"])
def test_whatever_fails_after_training_leaves_the_model_and_says_so(
    broken: str, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("it went wrong")

    monkeypatch.setattr(f"bertmini.runs.{broken}", fail)
    out = tmp_path / "out"
    assert main(arguments(files, out)) == 2
    assert f"bertmini finetune: it went wrong; the trained model is whole in {out}" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert BertForSequenceClassification.from_pretrained(out).config.labels == ("bad", "good", "so-so")
    assert len(WordPieceTokenizer.from_pretrained(out)) == len(TOKENIZER)


ODD_NAMES = {"a formula": "$\\frac{1}$", "two prices": "$50_$100", "escapes": "\x1b[2J"}


@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES)
def test_a_class_of_any_name_is_trained_drawn_and_printed(
    name: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "odd.jsonl"
    objects = [{"text": "the soup was cold", "label": name}, {"text": "the pie was warm", "label": "b"}]
    odd.write_text("\n".join(map(json.dumps, objects)))
    given = ["--epochs", "1", "--device", "cpu", "--out", str(tmp_path / "out")]
    table = ["--train", str(odd), "--eval", str(odd)]
    assert main(["finetune", "classification", str(files.checkpoint), *table, *given]) == 0
    assert (tmp_path / "out" / "confusion.png").read_bytes()[:4] == b"\x89PNG"
    assert visible(name) in capsys.readouterr().out
    assert name in BertForSequenceClassification.from_pretrained(tmp_path / "out").config.labels


def test_a_folder_that_is_filled_while_training_loses_neither_its_files_nor_the_weights(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(*given: object, before: object = train_best, **named: object) -> object:
        (tmp_path / "out" / "mine").write_text("mine")
        return before(*given, **named)  # type: ignore[operator]

    monkeypatch.setattr("bertmini.runs.finetune.train_best", fill)
    assert main(arguments(files, tmp_path / "out")) == 2
    error = capsys.readouterr().err
    assert "now holds 'mine'" in error
    (kept,) = (tmp_path / "out").glob("kept-*")
    assert f"the trained model is whole in {kept}" in error
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [kept.name, "mine"]
    assert BertForSequenceClassification.from_pretrained(kept).config.labels == ("bad", "good", "so-so")
    assert len(WordPieceTokenizer.from_pretrained(kept)) == len(TOKENIZER)


def test_a_folder_that_is_removed_while_training_is_made_again(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove(*given: object, before: object = train_best, **named: object) -> object:
        shutil.rmtree(tmp_path / "out")
        return before(*given, **named)  # type: ignore[operator]

    monkeypatch.setattr("bertmini.runs.finetune.train_best", remove)
    assert main(arguments(files, tmp_path / "out")) == 0
    assert BertForSequenceClassification.from_pretrained(tmp_path / "out").config.labels == ("bad", "good", "so-so")


def test_the_current_folder_is_filled_and_stays_the_same(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    inode = os.stat(".").st_ino
    assert main(arguments(files, Path("."))) == 0
    assert os.stat(tmp_path / "here").st_ino == inode
    assert {"config.json", "model.safetensors", "vocab.txt"} <= set(os.listdir("."))
    assert not [name for name in os.listdir(".") if name.startswith(".")]


def test_a_linked_folder_is_filled_where_it_leads(files: Files, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    assert main(arguments(files, tmp_path / "out")) == 0
    assert (tmp_path / "out").is_symlink()
    assert BertForSequenceClassification.from_pretrained(tmp_path / "elsewhere").config.num_labels == 3


def test_a_full_disk_at_the_end_says_so_and_leaves_nothing_half(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(arguments(files, tmp_path / "out")) == 2
    assert "model.safetensors was not written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ---- mistakes ----


MISTAKES = {
    "missing column": (["--text-column", "sentence"], "no column 'sentence'; there are 'text', 'label'"),
    "missing pair column": (["--pair-column", "pair"], "no column 'pair'"),
    "missing file": (["--eval", "NOWHERE.tsv"], "NOWHERE.tsv"),
    "no checkpoint": (["--checkpoint"], "vocab.txt"),
    "one class": (["--train", "ONE"], "two classes, but among 2 examples there is only 'good'"),
    "empty text": (["--train", "EMPTY"], "line 3: text ('text') is empty"),
    "unseen label": (["--eval", "UNSEEN"], "has the label 'odd', which"),
    "no epochs": (["--epochs", "0"], "epochs is 0"),
    "no batch": (["--batch-size", "0"], "batch_size is 0"),
    "no patience": (["--patience", "0"], "patience is 0"),
    "no threads": (["--threads", "0"], "threads is 0"),
    "negative rate": (["--learning-rate", "-1"], "learning_rate is -1"),
    "too long": (["--max-length", "18"], "max_length is 18; this checkpoint takes 4 to 17"),
    "too short": (["--max-length", "3"], "max_length is 3"),
    "dropout": (["--dropout", "1"], "dropout is 1"),
    "device": (["--device", "abacus"], "unknown device 'abacus'"),
    "too many threads": (["--threads", "10000"], "threads is 10000; it must be at most 512"),
    "too many epochs": (["--epochs", "1" + "0" * 12], "epochs is 1000000000000; it must be at most 1000000000"),
    "too large a seed": (["--seed", str(2**64)], f"seed is {2**64}; it must be at most {2**63 - 1}"),
    "infinite rate": (["--learning-rate", "inf"], "learning_rate is inf; it must be a number that is finite"),
    "no number": (["--dropout", "nan"], "dropout is nan; it must be a number that is finite"),
    "a pipe": ([], "bad.tsv is no file; write the examples to one"),
    "diverged": (["--learning-rate", "1e38"], "training stopped at step"),
}
HEADING = ("text", "label")
BAD_FILES: dict[str, list[tuple[str, ...]]] = {
    "ONE": [HEADING, ("fine", "good"), ("nice", "good")],
    "EMPTY": [HEADING, ("fine", "good"), (" ", "bad")],
    "UNSEEN": [HEADING, ("fine", "good"), ("strange", "odd")],
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_line_and_leaves_nothing_behind(
    mistake: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more, message = MISTAKES[mistake]
    if mistake == "a pipe":
        os.mkfifo(tmp_path / "bad.tsv")
        more = ["--train", str(tmp_path / "bad.tsv")]
    more = [str(write_tsv(tmp_path / "bad.tsv", BAD_FILES[word])) if word in BAD_FILES else word for word in more]
    given = arguments(files, tmp_path / "run", *more)
    if more == ["--checkpoint"]:
        given = [word for word in given[:-1] if word != str(files.checkpoint)]
        given.insert(2, str(tmp_path / "nothing"))
    assert main(given) == 2
    error = capsys.readouterr().err
    assert message in error
    assert [line for line in error.splitlines() if line.startswith("bertmini finetune: ")] == [error.splitlines()[-1]]
    assert [path.name for path in tmp_path.iterdir() if path.name != "bad.tsv"] == []


def test_a_result_is_never_overwritten(result: Path, files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    before = (result / "model.safetensors").read_bytes()
    assert main(arguments(files, result)) == 2
    assert "already holds something" in capsys.readouterr().err
    assert main(arguments(files, files.train)) == 2
    assert (result / "model.safetensors").read_bytes() == before


def test_the_default_rate_follows_the_width(files: Files) -> None:
    settings = settle(FinetuningSettings(checkpoint=files.checkpoint, train=files.train, eval=files.eval))
    assert (settings.learning_rate, settings.max_length) == (2e-3, 17)


def test_help_names_the_task(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["finetune", "classification", "--help"])
    assert "--label-column" in capsys.readouterr().out
