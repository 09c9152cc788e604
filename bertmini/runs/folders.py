"""The folder that a run writes into: nobody else's, and one run's at a time.

The file `.lock` is in it as long as a run is. The operating system holds the lock and lets go of it when the process
ends, however it ends, so that a killed run keeps nobody out.

Left out on purpose: file systems that know no locks (some network drives); two runs there are not told apart.
Taught in chapter 07.
"""

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bertmini.files import UNFINISHED

LOCK = ".lock"


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Make `folder` and keep other runs out of it during the block; what is still empty then goes again.

    Raises `ValueError` for what is no folder and for one that another run is writing into.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is no folder; choose another --out")
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _lock(folder):
            yield
    finally:
        for path in missing:
            with suppress(OSError):  # it holds something by now
                path.rmdir()


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, and remove what killed runs have left there half-written."""
    path = folder / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0))
    try:
        if not _take(descriptor) or not path.exists() or os.fstat(descriptor).st_ino != path.stat().st_ino:
            raise ValueError(f"another run is writing into {folder}: wait until it has ended, or choose another --out")
        for leftover in filter(_is_leftover, folder.iterdir()):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    """Lock an open file, or say that somebody else has."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # this file system knows no locks
        return True
    return True


def strangers(folder: Path) -> list[str]:
    """Name what is in a folder apart from the lock and what a run has not finished; nothing if there is none."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.name != LOCK and not _is_leftover(path))


def _is_leftover(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(UNFINISHED)


@contextmanager
def filled_at_once(folder: Path) -> Iterator[Path]:
    """Give a folder to write a model into, whose files appear in `folder`, which we own, when the block has ended.

    config.json, without which it is no checkpoint, comes last. Raises `ValueError` if `folder` is not empty any more:
    then what was written stays whole, and the error says where.
    """
    aside = folder / f".model.{secrets.token_hex(8)}{UNFINISHED}"
    aside.mkdir(parents=True)  # also if somebody has removed `folder` meanwhile
    try:
        yield aside
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    if found := strangers(folder):
        kept = aside.rename(folder / f"kept-{secrets.token_hex(4)}")
        raise ValueError(
            f"{folder} was empty and now holds {found[0]!r}: nothing was put beside it, the trained model is whole in "
            f"{kept}"
        )
    for path in sorted(aside.iterdir(), key=lambda path: path.name == "config.json"):
        path.rename(folder / path.name)
    aside.rmdir()
