"""Write a file whole or not at all.

A reader never meets half a file: the bytes go to a name of their own beside the target, reach the disk, and only then
take the target's name in one step that the file system does as a unit.
"""

import os
from pathlib import Path


def write_atomically(path: Path, content: bytes | str) -> None:
    """Replace `path` by `content`; on any error the old file stands and nothing is left beside it.

    Raises `OSError` naming `path` when the disk is full or the folder cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise OSError(error.errno, f"{path} was not written ({len(data)} bytes): {error.strerror}") from error
    finally:
        if aside.exists():
            aside.unlink()
