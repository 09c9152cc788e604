"""Corpora: where documents come from, and how to go on where one stopped.

A corpus hands out documents (lists of sentences) a portion at a time. A *position*, a small tuple of integers, says
where the next portion begins; it can be stored as JSON in a checkpoint, and the same position always gives the same
documents. That is all that a training run needs to be resumable to the bit, and no more than a portion is ever in
memory, however large the corpus.

How files become documents is told in `bertmini.data.documents`, how docstrings do in `bertmini.data.docs`, and what
`hub:NAME` does in `bertmini.data.hubdata`.

Left out on purpose: shuffling across a whole corpus (order is the stream's business) and cleaning of web pages.
Taught in chapter 07.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from bertmini.data.documents import Document, jsonl_documents, markdown_documents, plain_documents

Position = tuple[int, ...]
"""A place in a corpus: opaque, JSON-able."""


class Corpus(Protocol):
    """Documents in a fixed order, read a portion at a time."""

    name: str

    def read(self, position: Position | None, max_chars: int) -> tuple[list[Document], Position | None]:
        """Whole documents from `position` on, until they hold `max_chars` characters, and the position after them.

        None is the start when it goes in and the end when it comes out. The last document may exceed `max_chars`.
        """
        ...


class ListCorpus:
    """Documents in memory.

    >>> corpus = ListCorpus([["One.", "Two."], ["Three.", "Four."]])
    >>> corpus.read(None, max_chars=5)
    ([['One.', 'Two.']], (1,))
    >>> corpus.read((1,), max_chars=5)
    ([['Three.', 'Four.']], None)
    """

    def __init__(self, documents: Sequence[Document], name: str = "documents") -> None:
        """Take `documents`; those without a sentence are left out. ValueError when none is left."""
        self.documents = [document for document in documents if document]
        self.name = name
        if not self.documents:
            raise ValueError(f"the corpus {name!r} is empty: expected at least one document with one sentence")

    def read(self, position: Position | None, max_chars: int) -> tuple[list[Document], Position | None]:
        """See `Corpus.read`."""
        (index,) = position or (0,)
        if not 0 <= index <= len(self.documents):
            raise ValueError(f"position {index} is not in {self.name!r}, which has {len(self.documents)} documents")
        portion, size = [], 0
        while index < len(self.documents) and size < max_chars:
            portion.append(self.documents[index])
            size += sum(map(len, self.documents[index]))
            index += 1
        return portion, (index,) if index < len(self.documents) else None


READERS: dict[str, Callable[[Path, int], Iterator[tuple[Document, int]]]] = {
    ".txt": plain_documents,
    ".md": markdown_documents,
    ".jsonl": jsonl_documents,
}
"""How files of a kind are read: documents from a byte offset on, each with the offset after it."""


class TextCorpus:
    """A file, or all files of a folder and the folders in it (sorted, hidden ones left out): .txt, .md, .jsonl.

    A position is (number of the file, byte offset in it).
    """

    def __init__(self, path: str | Path) -> None:
        """Find the files; nothing is read yet.

        Raises:
            ValueError: no such path, no file of a known kind, or nothing but empty files.
        """
        path = Path(path)
        self.name = path.name
        if not path.exists():
            raise ValueError(f"no file or folder {str(path)!r}: check the spelling; paths begin at {Path.cwd()}")
        found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p, path))
        self.files = [file for file in found if file.suffix in READERS]
        known = ", ".join(READERS)
        if not self.files and path.is_file():
            raise ValueError(
                f"{str(path)!r} has the suffix {path.suffix!r}: expected one of {known}; rename or convert it"
            )
        if not self.files:
            raise ValueError(f"the folder {str(path)!r} has no text: expected files with one of the suffixes {known}")
        if not any(file.stat().st_size for file in self.files):
            raise ValueError(f"the corpus {str(path)!r} is empty: expected at least one sentence of text")

    def read(self, position: Position | None, max_chars: int) -> tuple[list[Document], Position | None]:
        """See `Corpus.read`. ValueError if the text is damaged, if there is none, or if it is shorter than it was."""
        start_file, start = self._checked(position)
        portion: list[Document] = []
        size = 0
        for number in range(start_file, len(self.files)):
            file = self.files[number]
            for document, offset in READERS[file.suffix](file, start if number == start_file else 0):
                portion.append(document)
                size += sum(map(len, document))
                if size >= max_chars:
                    return portion, (number, offset)
        if position is None and not portion:
            raise ValueError(f"the corpus {self.name!r} is empty: expected at least one sentence of text")
        return portion, None

    def _checked(self, position: Position | None) -> Position:
        file, offset = position or (0, 0)
        if not 0 <= file < len(self.files) or not 0 <= offset <= self.files[file].stat().st_size:
            raise ValueError(
                f"position {(file, offset)} is not in the corpus {self.name!r}: it has changed since the position was "
                "stored; bring the old files back, or begin again"
            )
        return file, offset


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def is_held_out(document: Document, *, one_in: int = 20) -> bool:
    """Whether this document is for evaluation: one in `one_in`, chosen by its text alone.

    A checksum of the text decides, so a document that occurs twice is on the same side both times, wherever it stands,
    and no list of indices has to be kept.
    """
    return zlib.crc32("\n".join(document).encode()) % one_in == 0
