import errno
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmini.files import (
    find_checkpoint,
    parse_json,
    read_json,
    remove_folder,
    walk_files,
    whole_folder,
    write_atomically,
)


@given(content=st.binary(max_size=99) | st.text(max_size=99))
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


def test_a_link_that_waits_under_the_name_beside_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda count: "0" * 2 * count)  # as if it had been guessed
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / f".a.{'0' * 16}.unfinished").symlink_to(victim)
    with pytest.raises(FileExistsError, match="a was not written"):
        write_atomically(tmp_path / "a", "x")
    assert victim.read_text() == "untouched"


def test_names_beside_differ_each_time(tmp_path: Path) -> None:
    names = set()
    for _ in range(5):
        with whole_folder(tmp_path / "run") as aside:
            names.add(aside.name)
        (tmp_path / "run").rmdir()
    assert len(names) == 5


def test_a_folder_appears_when_all_of_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed, really = [], os.fsync

    def look(descriptor: int) -> None:
        flushed.append((os.fstat(descriptor).st_ino, target.exists()))
        really(descriptor)

    target = tmp_path / "new" / "run"
    monkeypatch.setattr(os, "fsync", look)
    with whole_folder(target) as aside:
        (aside / "b").mkdir()
        (aside / "b" / "c").write_text("1")
        assert not target.exists()
    paths = [target / "b" / "c", target / "b", target, tmp_path / "new"]
    assert flushed == [(path.stat().st_ino, path == paths[-1]) for path in paths]
    assert os.listdir(tmp_path / "new") == ["run"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_after_an_error_there_is_no_folder(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), whole_folder(tmp_path / "run") as aside:  # noqa: PT012
        (aside / "a").write_text("half")
        raise error
    assert os.listdir(tmp_path) == []


def test_an_empty_folder_is_replaced_and_a_full_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with whole_folder(tmp_path / "run") as aside:
        (aside / "a").write_text("1")
    with pytest.raises(OSError, match="run"), whole_folder(tmp_path / "run") as aside:
        (aside / "a").write_text("2")
    assert (tmp_path / "run" / "a").read_text() == "1"
    assert os.listdir(tmp_path) == ["run"]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    left, other, theirs = f".run.{'a' * 16}.unfinished", f".run2.{'a' * 16}.unfinished", ".run.notes.unfinished"
    for name in (left, other, theirs):
        (tmp_path / name).mkdir()
    with whole_folder(tmp_path / "run"):
        pass
    assert sorted(os.listdir(tmp_path)) == sorted([other, theirs, "run"])


def test_a_folder_is_removed_under_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a").write_text("1")
    seen, really = [], shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path: (seen.append((tmp_path / "run").exists()), really(path)))
    remove_folder(tmp_path / "run")
    assert seen == [False]
    assert os.listdir(tmp_path) == []


def test_a_name_is_a_folder_first_and_a_shipped_model_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shipped" / "english").mkdir(parents=True)
    monkeypatch.setattr("bertmini.files.SHIPPED", tmp_path / "shipped")
    monkeypatch.chdir(tmp_path)
    assert find_checkpoint("english") == tmp_path / "shipped" / "english"
    assert find_checkpoint(Path("english")) == tmp_path / "shipped" / "english"
    assert find_checkpoint("runs/english") == Path("runs/english")  # a path is a path
    assert find_checkpoint("french") == Path("french")
    (tmp_path / "english").mkdir()
    assert find_checkpoint("english") == Path("english")


# ---- reading ----


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"x is not JSON \(Expecting value"),
        ("{'a': 1}", r"x is not JSON \("),
        ("[1]", "x holds a list: expected a JSON object"),
        ("3", "x holds a int: expected a JSON object"),
        ('{"a": NaN}', "x is not JSON that can be meant: NaN stands for a number; write null"),
        ('{"a": [-Infinity]}', "x is not JSON that can be meant: -Infinity stands"),
        ('{"a": 1e999}', "x is not JSON that can be meant: the number 1e999 is beyond all bounds"),
        ('{"a": ' + "7" * 5_000 + "}", "x is not JSON that can be meant: a number of 5000 digits"),
        ('{"a": ' + "[" * 100_000, "x is not JSON that can be meant: its brackets are nested too deeply"),
        ('{"a": ' * 100_000, "x is not JSON that can be meant: its brackets are nested too deeply"),
        ('{"a": {"b": 1, "b": 2}}', "x is not JSON that can be meant: the name 'b' stands twice in one object"),
        ('{"a": "\\ud83d"}', "x is not JSON that can be meant: half a surrogate pair"),
        ('{"\\uDC00": 1}', "x is not JSON that can be meant: half a surrogate pair"),
        ('{"a": "\ud800"}', "x is not JSON that can be meant: half a surrogate pair"),
        (b'{"a": "\xff"}', "x is not JSON: it is no UTF-8 at byte 7"),
        ("\ufeff{}x".encode("utf-16"), "x is not JSON: it is no UTF-8 at byte 0"),
    ],
)
def test_json_that_cannot_be_meant(text: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        parse_json(text, "x")


def test_json_that_can_be_meant() -> None:
    text = '\ufeff{"a": "\\ud83d\\ude00 \\\\ud800", "b": [null, true, 1.5, -12345678901234567890, {"a": {}}]}'
    expected = {"a": "😀 \\ud800", "b": [None, True, 1.5, -12345678901234567890, {"a": {}}]}
    assert parse_json(text, "x") == parse_json(text.encode(), "x") == expected


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.json does not exist"):
        read_json(tmp_path / "a.json")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    for name, kind in (("pipe.json", "a pipe or a device"), ("link.json", "a link to nothing"), ("", "a folder")):
        with pytest.raises(ValueError, match=f"{name} is {kind}: expected a file"):
            read_json(tmp_path / name)


def test_linked_folders_are_read_once_and_circles_end(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "inside" / "deep").mkdir(parents=True)
    for name in ("outside/b.txt", "inside/a.TXT", "inside/deep/c.txt", "inside/.hidden.txt", "inside/no.pdf"):
        (tmp_path / name).write_text("x")
    (tmp_path / "inside" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "inside" / "link2").symlink_to(tmp_path / "outside")
    (tmp_path / "inside" / "deep" / "up").symlink_to(tmp_path / "inside")
    found = [path.relative_to(tmp_path / "inside").as_posix() for path in walk_files(tmp_path / "inside", (".txt",))]
    assert found == ["a.TXT", "deep/c.txt", "link/b.txt"]


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    real = os.scandir

    def locked(path: str) -> object:  # root may read everything
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(ValueError, match=r"the folder .*locked cannot be read \(Permission denied\): allow it"):
        walk_files(tmp_path, (".txt",))
    monkeypatch.undo()
    (tmp_path / "a.txt").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"a\.txt is a link to nothing"):
        walk_files(tmp_path, (".txt",))
