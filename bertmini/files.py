"""Where a checkpoint is; and how to write a file or a folder: whole or not at all.

A reader never meets half of it: the bytes go to a name of their own beside the target, reach the disk (fsync), and only
then take the target's name in one step that the file system does as a unit (Pillai et al. 2014, "All file systems are
not created equal", on why the flushing must come first). The name beside it cannot be guessed, and is refused if it
exists, so nobody can lay a link there for us to write through.
"""

import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHIPPED = Path(__file__).parent / "checkpoints"
"""Models that come with the package, each in a folder of its name: `english`."""

UNFINISHED = ".unfinished"
TOKEN_BYTES = 8


def find_checkpoint(name: str | Path) -> Path:
    """Say which folder a checkpoint's name means: the path itself or, where nothing is, the model shipped by that name.

    So a folder `english` of the reader's own, seen from where they are, goes before ours.

    >>> find_checkpoint("english").parent == SHIPPED
    True
    """
    path = Path(name)
    is_shipped = len(path.parts) == 1 and not path.exists() and (SHIPPED / path).is_dir()
    return SHIPPED / path if is_shipped else path


def write_atomically(path: Path, content: bytes | str) -> None:
    """Replace `path` by `content`; on any error the old file stands and nothing is left beside it.

    Raises `OSError` naming `path` when the disk is full or the folder cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    aside = _beside(path)
    try:
        with aside.open("xb") as file:  # x: never through a file or a link that is already there
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise OSError(error.errno, f"{path} was not written ({len(data)} bytes): {error.strerror}") from error
    finally:
        if aside.exists():
            aside.unlink()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write into, which becomes `folder` when the block ends; after an error neither is there.

    What a killed process left beside `folder` is removed. Raises `OSError` if `folder` exists and holds something.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for leftover in folder.parent.glob(f".{glob.escape(folder.name)}.{'[0-9a-f]' * 2 * TOKEN_BYTES}{UNFINISHED}"):
        shutil.rmtree(leftover, ignore_errors=True)
    aside = _beside(folder)
    aside.mkdir()
    try:
        yield aside
        for path in sorted(aside.rglob("*"), reverse=True):  # what is in a folder before the folder
            _flush(path)
        _flush(aside)
        if folder.is_dir():
            folder.rmdir()  # it is empty, or this says that it is not
        os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _flush(folder.parent)


def remove_folder(folder: Path) -> None:
    """Delete `folder`, renamed first: a process killed in the middle leaves no half of it under its name."""
    doomed = _beside(folder)
    os.replace(folder, doomed)
    shutil.rmtree(doomed)


def _beside(path: Path) -> Path:
    """A name in the same folder, hidden and not to be guessed."""
    return path.with_name(f".{path.name}.{secrets.token_hex(TOKEN_BYTES)}{UNFINISHED}")


def _flush(path: Path) -> None:
    """Make a file's bytes, or a folder's names, survive a power cut (on Windows a folder cannot be opened)."""
    if path.is_dir() and os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
