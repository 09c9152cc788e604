"""The command line in everyday places: pipes, files, other alphabets, signals, folders that are not ours."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from small_texts import SMALL, make_corpus
from torch import nn

from bertmini import BertConfig, BertForPreTraining, WordPieceTokenizer
from bertmini.cli import main
from bertmini.runs.folders import own_folder
from bertmini.training.checkpoint import checkpoint_folders
from bertmini.training.loop import train

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "日", "ą", "red\x1b[31m"]
SIZES: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    BertForPreTraining(BertConfig(vocab_size=len(PIECES), max_position_embeddings=4096, **SIZES)).save_pretrained(
        folder
    )
    WordPieceTokenizer.from_vocab(PIECES).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("text") / "animals.txt", documents=30)


def shell(line: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which BERT is the program; its exit code is that of the first in a pipe."""
    program = f'BERT() {{ "{sys.executable}" -m bertmini "$@"; }}; {line}; exit ${{PIPESTATUS[0]}}'
    root = str(Path(__file__).parent.parent)
    whole = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(["bash", "-c", program], cwd=cwd, env=whole, capture_output=True, text=True, encoding="utf-8")


# ---- output ----


def test_a_file_without_the_letters_gets_them_spelled_out(model: Path) -> None:
    done = shell(f"BERT tokenize {model} 'the 日 cat'", model, PYTHONIOENCODING="cp1252")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["[CLS]", "the", "\\u65e5", "cat", "[SEP]"]


@pytest.mark.parametrize("line", ["BERT tokenize . '{text}' | head -n 1", "BERT pretrain --help | head -n 1"])
def test_a_reader_that_has_had_enough_is_no_error(line: str, model: Path) -> None:
    done = shell(line.format(text="the cat " * 3000), model)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_a_mistake_stays_one_when_nobody_reads(model: Path) -> None:
    assert shell("BERT fill-mask . 'no blank' 2>&1 | true", model).returncode == 2


@pytest.mark.parametrize("place", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_outputs_are_no_error(place: str, model: Path) -> None:
    done = shell(f"BERT tokenize . 'the cat' {place}", model)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_output_is_told_in_a_line(model: Path) -> None:
    done = shell("BERT tokenize . 'the cat' > /dev/full", model)
    assert done.returncode == 2
    assert done.stderr.endswith(": the output was not written: [Errno 28] No space left on device\n")
    assert done.stderr.count("\n") == 1


def test_escapes_in_a_vocabulary_are_shown(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(model)
    assert main(["fill-mask", folder, "the [MASK]"]) == 0
    assert main(["tokenize", folder, "the \x1b[2J cat"]) == 0
    assert main(["info", "\x1b[2Jnowhere"]) == 2
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert "\\x1b[2Jnowhere is not a checkpoint" in printed.err


def test_a_training_whose_messages_nobody_reads_goes_on(corpus: Path, tmp_path: Path) -> None:
    done = shell(
        f"BERT pretrain --corpus {corpus} --out run --steps 2 {' '.join(SMALL)} 2>&1 | true", tmp_path, TQDM_DISABLE=""
    )
    assert done.returncode == 0
    assert BertForPreTraining.from_pretrained(tmp_path / "run").config.vocab_size == 120


def test_a_redirected_bar_is_whole_lines(corpus: Path, tmp_path: Path) -> None:
    line = f"BERT pretrain --corpus {corpus} --out run --steps 2 {' '.join(SMALL)} 2> errors"
    done = shell(line, tmp_path, TQDM_DISABLE="", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0
    errors = (tmp_path / "errors").read_bytes()
    assert errors.startswith(b"100%|##")
    assert (errors.count(b"\n"), errors.count(b"\r")) == (1, 0)


# ---- leaving ----


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_saves_says_so_and_the_run_goes_on(name: str, corpus: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bertmini", "pretrain", "--corpus", str(corpus), "--out", str(tmp_path / "run")]
    process = subprocess.Popen([*command, "--steps", "4000", *SMALL], stdout=-1, stderr=-1, text=True)
    deadline = time.monotonic() + 120
    log = tmp_path / "run" / "log.csv"
    while not (log.exists() and log.read_text().count("\n") > 1) and time.monotonic() < deadline:
        time.sleep(0.02)  # until there is a step to save
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    (saved,) = checkpoint_folders(tmp_path / "run" / "checkpoints")
    assert errors.splitlines()[-1].endswith(f"{saved} is saved: resume to go on")
    assert "Traceback" not in errors
    assert not (tmp_path / "run" / ".lock").exists()


@pytest.mark.parametrize(("line", "code"), [("BERT info x", 130), (f'"{sys.executable}" -c "import bertmini"', 1)])
def test_ctrl_c_while_torch_is_loading(line: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise KeyboardInterrupt")
    root = str(Path(__file__).parent.parent)
    done = shell(line, tmp_path, PYTHONPATH=f"{tmp_path}:{root}")
    if code == 130:
        assert (done.returncode, done.stderr) == (130, "\nbertmini: stopped before it was done\n")
    else:  # a program of the reader's own gets the exception
        assert done.stderr.endswith("KeyboardInterrupt\n")


def test_ctrl_c_before_training_is_told(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bertmini.runs.pretrain.text_materials", interrupt)
    assert main(["pretrain", "--corpus", str(corpus), "--out", str(tmp_path / "run"), *SMALL]) == 130
    assert capsys.readouterr().err == "\nbertmini pretrain: stopped before it was done\n"
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_a_line_and_other_errors_are_not_hidden(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error in (
        RuntimeError("can't allocate memory: you tried 5 bytes\nC++ trace"),
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
    ):
        monkeypatch.setattr("bertmini.commands.info", raising(error))
        assert main(["info", str(model)]) == 2
        told = capsys.readouterr().err
        assert "there is not enough memory: take smaller batches or a smaller model" in told
        assert told.count("\n") == 1
    monkeypatch.setattr("bertmini.commands.info", raising(RuntimeError("shapes differ")))
    with pytest.raises(RuntimeError, match="shapes differ"):
        main(["info", str(model)])


def raising(error: BaseException) -> Any:
    def call(*_: object, **__: object) -> None:
        raise error

    return call


def test_a_model_that_may_not_be_read_is_not_called_missing(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    really = Path.open

    def refuse(self: Path, *mode: Any, **named: Any) -> Any:
        if self.name == "model.safetensors":
            raise PermissionError(13, "Permission denied", str(self))
        return really(self, *mode, **named)

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    assert main(["info", str(model)]) == 2
    assert "Permission denied" in capsys.readouterr().err


# ---- folders and paths ----


def test_pretrain_leaves_another_checkpoint_alone(
    model: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(model, tmp_path / "theirs")
    before = {path.name: path.read_bytes() for path in (tmp_path / "theirs").iterdir()}
    for more in ([], ["--resume"]):
        assert main(["pretrain", "--corpus", str(corpus), "--out", str(tmp_path / "theirs"), *SMALL, *more]) == 2
        assert "already holds something, but no run" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "theirs").iterdir()} == before


@pytest.mark.parametrize("command", ["pretrain", "finetune"])
def test_two_runs_do_not_write_into_one_folder(
    command: str, model: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("text\tlabel\nthe cat\tx\nthe\ty\n")
    given = {
        "pretrain": ["pretrain", "--corpus", str(corpus), *SMALL],
        "finetune": ["finetune", "classification", str(model), "--train", str(table), "--eval", str(table)],
    }[command]
    with own_folder(tmp_path / "out"):
        assert main([*given, "--out", str(tmp_path / "out")]) == 2
        assert f"another run is writing into {tmp_path / 'out'}: wait" in capsys.readouterr().err
        assert os.listdir(tmp_path / "out") == [".lock"]


def test_a_folder_that_is_removed_in_mid_run_is_written_anew(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"

    def removing(*given: Any, evaluate: Any, **named: Any) -> Any:
        def look(one: nn.Module) -> Mapping[str, float]:
            looks.append(1)
            if len(looks) == 3:
                shutil.rmtree(out)
            return evaluate(one)  # type: ignore[no-any-return]

        looks: list[int] = []
        return train(*given, evaluate=look, **named)

    monkeypatch.setattr("bertmini.runs.pretrain.train", removing)
    assert main(["pretrain", "--corpus", str(corpus), "--out", str(out), "--steps", "5", *SMALL]) == 0
    assert len(WordPieceTokenizer.from_pretrained(out)) == 120
    assert BertForPreTraining.from_pretrained(out).config.vocab_size == 120
    assert {"run.json", "corpus.json", "log.csv", "checkpoints", "loss.png"} <= set(os.listdir(out))
    assert [line.split(",")[0] for line in (out / "log.csv").read_text().splitlines()] == ["step", *"012345"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["pretrain", "--out", ""],
        ["finetune", "classification", "", "--train", "a", "--eval", "b", "--out", "c"],
        ["finetune", "classification", "m", "--train", "", "--eval", "b", "--out", "c"],
        ["fill-mask", "", "[MASK]"],
        ["attention", "m", "a", "--out", " "],
        ["info", ""],
    ],
    ids=" ".join,
)
def test_an_empty_path_is_not_the_current_folder(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "the path is empty; name a file or folder" in capsys.readouterr().err


def test_an_empty_corpus_is_not_the_current_folder(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_corpus(tmp_path / "private.txt")
    monkeypatch.chdir(tmp_path)
    for command in (["pretrain", "--out", "run", *SMALL], ["evaluate", str(model)]):
        assert main([*command, "--corpus", ""]) == 2
        assert "corpus is ''; name a text, or . for the current folder" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["private.txt"]


def test_a_text_model_is_not_measured_in_the_microworld(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(model), "--corpus", "microworld"]) == 2
    told = capsys.readouterr().err
    assert f"{model} has a vocabulary of {len(PIECES)} pieces that is not the microworld's" in told
    assert told.count("\n") == 1


def test_a_log_that_is_a_link_is_replaced_and_not_followed(corpus: Path, tmp_path: Path) -> None:
    given = ["pretrain", "--corpus", str(corpus), "--out", str(tmp_path / "run"), "--steps", "2", *SMALL]
    assert main(given) == 0
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "run" / "log.csv").unlink()
    (tmp_path / "run" / "log.csv").symlink_to(tmp_path / "victim")
    assert main([*given, "--resume"]) == 0
    assert (tmp_path / "victim").read_text() == "untouched"
    assert (tmp_path / "run" / "log.csv").read_text().startswith("step,loss")
