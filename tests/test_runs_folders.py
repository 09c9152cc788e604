"""A folder is one run's at a time, and what is in it stays."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from bertmini.runs.folders import LOCK, filled_at_once, own_folder, strangers


def hold(folder: Path, ready: object, go: object) -> None:
    with own_folder(folder):
        ready.set()  # type: ignore[attr-defined]
        go.wait()  # type: ignore[attr-defined]


def test_another_process_is_kept_out_until_this_one_ends_or_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    for end in ("ended", "killed"):
        ready, go = context.Event(), context.Event()
        process = context.Process(target=hold, args=(tmp_path / "run", ready, go))
        process.start()
        assert ready.wait(60)
        with pytest.raises(ValueError, match=r"another run is writing into .*run: wait until it has ended"):  # noqa: SIM117
            with own_folder(tmp_path / "run"):
                raise AssertionError("two at once")
        assert (tmp_path / "run" / LOCK).exists()
        if end == "killed":
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
        else:
            go.set()  # not after a kill: setting waits until whoever waited has woken up
        process.join(60)
        with own_folder(tmp_path / "run"):
            assert strangers(tmp_path / "run") == []
        assert os.listdir(tmp_path) in ([], ["run"])  # the killed one could not tidy up


def test_two_in_one_process_are_told_apart(tmp_path: Path) -> None:
    with own_folder(tmp_path / "run"):
        with pytest.raises(ValueError, match="another run is writing"), own_folder(tmp_path / "run"):
            pass
        assert os.listdir(tmp_path / "run") == [LOCK]
    assert os.listdir(tmp_path) == []


def test_only_folders_that_were_made_and_stayed_empty_go_again(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with own_folder(tmp_path / "old"), own_folder(tmp_path / "new" / "deep"):
        pass
    assert os.listdir(tmp_path) == ["old"]
    with own_folder(tmp_path / "new" / "deep"):
        (tmp_path / "new" / "kept").write_text("x")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["kept", "new", "old"]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "pipe"):
        with pytest.raises(ValueError, match=f"{name} is no folder; choose another --out"), own_folder(tmp_path / name):
            pass


def test_leftovers_of_killed_runs_go_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".model.0a.unfinished").mkdir()
    (tmp_path / ".run.json.0a.unfinished").write_text("half")
    (tmp_path / "notes.unfinished").write_text("mine")
    with own_folder(tmp_path):
        assert strangers(tmp_path) == ["notes.unfinished"]
        assert sorted(os.listdir(tmp_path)) == [LOCK, "notes.unfinished"]


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / LOCK).symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match=r"\.lock"), own_folder(tmp_path):
        pass
    assert (tmp_path / "victim").read_text() == "untouched"


def test_files_appear_together_and_the_config_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda self, to: (order.append(self.name), rename(self, to))[1])
    with filled_at_once(tmp_path / "out") as aside:
        for name in ("config.json", "model.safetensors", "a"):
            (aside / name).write_text(name)
        assert strangers(tmp_path / "out") == []
    assert order[-1] == "config.json"
    assert strangers(tmp_path / "out") == sorted(order)
