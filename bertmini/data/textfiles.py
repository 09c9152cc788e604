"""Text files, piece by piece."""

import os
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write a whole file or none: aside first, then onto the disk, then renamed over the old one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(aside, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
