"""The progress bar: redrawn on a terminal, written now and then elsewhere."""

import io
import sys
from pathlib import Path

import pytest
import torch
from training_toys import Toy, ToyStream, toy_run

from bertmini.training.log import History, Journal
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

RECIPE = Recipe(steps=4, learning_rate=0.05)


@pytest.fixture(autouse=True)
def _shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_with_loss_and_tokens_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    history = train(Toy(), ToyStream(), RECIPE, device="cpu")
    shown = terminal.getvalue()
    assert "\r" in shown
    assert "4/4" in shown
    assert f"loss {history.rows[-1]['loss']:.3f}, " in shown
    assert " tokens/s" in shown


def test_a_file_gets_one_line_at_the_end_of_a_short_run(capsys: pytest.CaptureFixture[str]) -> None:
    history = train(Toy(), ToyStream(), RECIPE, device="cpu")
    shown = capsys.readouterr().err
    assert "\r" not in shown
    assert shown.count("\n") == 1
    assert "4/4" in shown
    assert f"loss {history.rows[-1]['loss']:.3f}, " in shown
    assert " tokens/s" in shown


def test_a_file_gets_at_most_a_line_every_ten_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [50.0]
    monkeypatch.setattr("bertmini.training.log.time.monotonic", lambda: now[0])
    journal = Journal(History(), 60, None, progress=True)
    one = torch.ones(())
    for step in range(1, 61):
        now[0] += 1
        journal.record(step, 0.1, one, one, one)
        journal.read()
        journal.write()
    journal.close()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("|")[2].split()[0] for line in lines] == [f"{step}/60" for step in (10, 20, 30, 40, 50, 60, 60)]


def test_no_progress_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    train(Toy(), ToyStream(), RECIPE, device="cpu", progress=False)
    assert capsys.readouterr().err == ""


def test_the_bar_of_a_resumed_run_starts_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy_run(tmp_path, steps=4)
    train(Toy(), ToyStream(), RECIPE, device="cpu", checkpoints=tmp_path / "elsewhere", progress=False)
    train(Toy(), ToyStream(), RECIPE, device="cpu", checkpoints=tmp_path / "elsewhere", resume=True)
    shown = capsys.readouterr().err
    assert "4/4" in shown
    assert "0/4" not in shown
