"""Where a checkpoint is; how a file or a folder is written, whole or not at all; JSON that anybody may have written.

A reader never meets half of it: the bytes go to a name of their own beside the target, reach the disk (fsync), and only
then take the target's name in one step that the file system does as a unit (Pillai et al. 2014, "All file systems are
not created equal", on why the flushing must come first). The name beside it cannot be guessed, and is refused if it
exists, so nobody can lay a link there for us to write through.

All JSON that the package reads goes through `parse_json`: what Python's reader lets through or ends on with another
error than `ValueError` (RFC 8259 knows no NaN; half a surrogate pair is no text) is refused there, once.
"""

import glob
import json
import math
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent / "checkpoints"
"""Models that come with the package, each in a folder of its name: `english`."""

UNFINISHED = ".unfinished"
TOKEN_BYTES = 8


def parse_json(text: str | bytes, where: str) -> dict[str, Any]:
    """Read a JSON object; `where` names file and line in the errors.

    Raises `ValueError` for what is not JSON, for anything but an object, and for what nobody can mean: NaN, numbers
    beyond all bounds, a name that stands twice, half a surrogate pair, brackets a thousand deep.

    >>> parse_json('{"a": 1, "a": 2}', "x.json")
    Traceback (most recent call last):
    ValueError: x.json is not JSON that can be meant: the name 'a' stands twice in one object
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = _DECODER.decode(text.removeprefix("\ufeff"))
        if _HALF_PAIR.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ValueError(f"{where} is not JSON ({error})") from None
    except RecursionError:
        raise ValueError(f"{where} is not JSON that can be meant: its brackets are nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not JSON: it is no UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise ValueError(
            f"{where} is not JSON that can be meant: half a surrogate pair (a lone \\ud800 to \\udfff); write the "
            "whole character instead"
        ) from None
    except ValueError as error:
        raise ValueError(f"{where} is not JSON that can be meant: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{where} holds a {type(value).__name__}: expected a JSON object")
    return value


def read_json(path: Path) -> dict[str, Any]:
    """Read the object in a JSON file. Raises `ValueError` naming the file; see `parse_json`, `is_regular`."""
    if not is_regular(path):
        raise ValueError(f"{path} does not exist")
    try:
        return parse_json(path.read_bytes(), str(path))
    except ValueError as error:
        raise ValueError(f"{error}; take another copy of it") from None


def is_regular(path: Path) -> bool:
    """Whether there is a file. Raises `ValueError` for a pipe (we might wait for ever), a folder, a broken link."""
    if path.is_file():
        return True
    if os.path.lexists(path):
        kind = "a folder" if path.is_dir() else "a link to nothing" if path.is_symlink() else "a pipe or a device"
        raise ValueError(f"{path} is {kind}: expected a file; move it away, or put the file there")
    return False


def walk_files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """The files below a folder with one of these suffixes, sorted, in linked folders too; hidden ones are left out.

    Raises `ValueError` for a folder that cannot be read, and for a pipe or a broken link under such a name.
    """

    def refuse(error: OSError) -> None:
        raise ValueError(f"the folder {error.filename} cannot be read ({error.strerror}): allow it, or take it away")

    found, seen = [], set()
    for name, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        here = Path(name)
        place = here.stat()
        if (place.st_dev, place.st_ino) in seen:  # a link to a folder above it, or a second one to the same
            folders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        found += [here / one for one in files if not one.startswith(".") and Path(one).suffix.lower() in suffixes]
    return sorted(path for path in found if is_regular(path))


def _whole_number(digits: str) -> int:
    if len(digits) > 1_000:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise ValueError(f"the number {digits[:20]} is beyond all bounds")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} stands for a number; write null where a value is missing")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"the name {counts.most_common(1)[0][0]!r} stands twice in one object")
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole_number, parse_float=_finite, parse_constant=_no_constant
)
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")  # or a whole pair: the encoder knows


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
