import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmini.files import write_atomically


@given(content=st.binary(max_size=99) | st.text(max_size=99))
@settings(derandomize=True)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, content: bytes | str) -> None:
    path = tmp_path_factory.getbasetemp() / "file"
    write_atomically(path, content)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())


def test_the_new_replaces_the_old_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", "a long first version")
    write_atomically(tmp_path / "a", b"short")
    assert (tmp_path / "a").read_bytes() == b"short"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "weights"
    write_atomically(path, "old")
    full = OSError(errno.ENOSPC, "No space left on device")

    def fail(*_: object) -> None:
        raise full

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    elif step == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    else:
        really_open = Path.open

        def open_and_fail(self: Path, mode: str) -> Any:
            file = really_open(self, mode)
            file.write(b"n")  # half of it arrives
            file.close()
            raise full

        monkeypatch.setattr(Path, "open", open_and_fail)
    with pytest.raises(OSError, match=r"weights was not written \(3 bytes\): No space left") as caught:
        write_atomically(path, "new")
    monkeypatch.undo()
    assert caught.value.errno == errno.ENOSPC
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["weights"]


def test_the_target_is_only_renamed_to_when_all_has_reached_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "a", []

    def look(_: int) -> None:
        (aside,) = tmp_path.iterdir()
        seen.append((aside != path, aside.read_bytes()))

    monkeypatch.setattr(os, "fsync", look)
    write_atomically(path, b"whole")
    assert seen == [(True, b"whole")]


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere/a was not written"):
        write_atomically(tmp_path / "nowhere" / "a", "x")
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError, match="file/a was not written"):
        write_atomically(tmp_path / "file" / "a", "x")
