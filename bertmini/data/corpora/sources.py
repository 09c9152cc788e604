"""Corpora: where documents come from, and how to go on where one stopped.

A corpus hands out documents (lists of sentences) a portion at a time. A *position*, a small tuple of integers, says
where the next portion begins; it can be stored as JSON in a checkpoint, and the same position always gives the same
documents. That is all that a training run needs to be resumable to the bit, and no more than a portion is ever in
memory, however large the corpus.

How files become documents is told in `documents` and `markdown`, how docstrings do in `docstrings`, and what
`hub:NAME` does in `datasets`, all in this room.

Left out on purpose: shuffling across a whole corpus (order is the stream's business) and cleaning of web pages.
Taught in chapter 07.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from bertmini.data.corpora.datasets import Rows, mirrored_files, rows_from_network, rows_from_parquet
from bertmini.data.corpora.docstrings import library_documents
from bertmini.data.corpora.documents import jsonl_documents, plain_documents, record_document
from bertmini.data.corpora.markdown import markdown_documents
from bertmini.data.corpora.text_files import Document
from bertmini.files import is_regular, walk_files

Position = tuple[int, ...]
"""A place in a corpus: opaque, JSON-able."""

SUFFIXES = (".txt", ".md", ".jsonl")
"""The kinds of text files that `TextCorpus` reads."""


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
        """Take `documents`; those without a sentence are left out. Raises `ValueError` when none is left."""
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


class RowsCorpus:
    """A table with a document per row, such as `datasets.Dataset`, fetched row by row. A position is (row,)."""

    def __init__(self, rows: Rows, name: str, column: str | None = None) -> None:
        """Take the documents from `column`, else from `sentences` or `text`. Raises `ValueError` when there is none."""
        known = [known for known in ("sentences", "text") if known in rows.column_names]
        if column is None and known:
            column = known[0]
        if column not in rows.column_names:
            raise ValueError(f"{name!r} has no column {column or 'text'!r}: choose one of {rows.column_names}")
        self.rows, self.name, self.column = rows, name, column

    def read(self, position: Position | None, max_chars: int) -> tuple[list[Document], Position | None]:
        """See `Corpus.read`. Raises `ValueError` if a row is no text, or if there is no text at all."""
        (row,) = position or (0,)
        if not 0 <= row <= len(self.rows):
            raise ValueError(f"position {row} is not in {self.name!r}, which has {len(self.rows)} rows")
        portion: list[Document] = []
        size = 0
        while row < len(self.rows) and size < max_chars:
            try:
                document = record_document({self.column: self.rows[row][self.column]}, self.column)
            except ValueError as error:
                raise ValueError(f"{self.name}, row {row}: {error}") from None
            portion += [document] if document else []
            size += sum(map(len, document))
            row += 1
        if position is None and not portion:
            raise ValueError(f"the corpus {self.name!r} is empty: expected at least one sentence of text")
        return portion, (row,) if row < len(self.rows) else None


class TextCorpus:
    """Files, or all files of folders and of the folders in them (sorted, hidden ones left out): .txt, .md, .jsonl.

    A position is (number of the file, byte offset in it).
    """

    def __init__(self, *paths: str | Path, name: str | None = None, column: str | None = None) -> None:
        """Find the files; nothing is read yet.

        The corpus is called `name` (None: as the first path). `column` is the field of a .jsonl record that holds the
        document (None: `sentences`, else `text`).

        Raises `ValueError` if there is no such path, no file of a known kind, or nothing but empty files.
        """
        if not paths or not all(str(path).strip() for path in paths):
            raise ValueError("a corpus needs a path, and none is named; write . for the current folder")
        self.name = name or Path(paths[0]).name
        self.column = column
        self.files = [file for path in paths for file in _text_files(Path(path))]
        if not any(file.stat().st_size for file in self.files):
            raise ValueError(f"the corpus {self.name!r} is empty: expected at least one sentence of text")

    def read(self, position: Position | None, max_chars: int) -> tuple[list[Document], Position | None]:
        """See `Corpus.read`. Raises `ValueError` if the text is damaged, missing, or shorter than it was."""
        number, offset = self._checked(position)
        portion: list[Document] = []
        size = 0
        while number < len(self.files):
            for document, end in self._documents(self.files[number], offset):
                portion.append(document)
                size += sum(map(len, document))
                if size >= max_chars:
                    return portion, (number, end)
            number, offset = number + 1, 0
        if position is None and not portion:
            raise ValueError(f"the corpus {self.name!r} is empty: expected at least one sentence of text")
        return portion, None

    def _documents(self, file: Path, offset: int) -> Iterator[tuple[Document, int]]:
        suffix = file.suffix.lower()
        if suffix == ".jsonl":
            return jsonl_documents(file, offset, self.column)
        return markdown_documents(file, offset) if suffix == ".md" else plain_documents(file, offset)

    def _checked(self, position: Position | None) -> Position:
        file, offset = position or (0, 0)
        if not 0 <= file < len(self.files) or not 0 <= offset <= self.files[file].stat().st_size:
            raise ValueError(
                f"position {(file, offset)} is not in the corpus {self.name!r}: it has changed since the position was "
                "stored; bring the old files back, or begin again"
            )
        return file, offset


def _text_files(path: Path) -> list[Path]:
    """The file, or the text files in the folder."""
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return [path]
    expected = f"expected one of {', '.join(SUFFIXES)}"
    if path.is_file():
        raise ValueError(f"{str(path)!r} has the suffix {path.suffix!r}: {expected}; rename or convert the file")
    if not path.is_dir():
        is_regular(path)  # or it is said what is there instead
        raise ValueError(f"no file or folder {str(path)!r}: check the spelling; paths begin at {Path.cwd()}")
    files = walk_files(path, SUFFIXES)
    if not files:
        raise ValueError(f"the folder {str(path)!r} has no text files: {expected} as suffix")
    return files


_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


def from_hub(name: str, *, split: str = "train", column: str | None = None) -> Corpus:
    """A data set of Hugging Face's hub, `owner/name` or `owner/name:config`; see `datasets`.

    A copy in the folder that `BERTMINI_DATA` names is used first, then the network. `column` is the field with the
    document (None: `sentences`, else `text`).

    Raises `ValueError`, at once and with what can be done, if there is no such data set, split or column, or no
    network.
    """
    path, _, config = name.partition(":")
    if not _HUB_NAME.fullmatch(path) or ".." in (*path.split("/"), config) or "/" in config:
        raise ValueError(f"{name!r} is no name of a data set: expected OWNER/NAME, or OWNER/NAME:CONFIG")
    files = mirrored_files(path, split, config or None)
    if files and all(file.suffix.lower() in SUFFIXES for file in files):
        return TextCorpus(*files, name=name, column=column)
    rows = rows_from_parquet(files) if files else rows_from_network(path, split, config or None)
    return RowsCorpus(rows, name, column)


def library_docs(cache_dir: str | Path | None = None) -> ListCorpus:
    """The documentation of the libraries on this machine, about half a million words; see `docstrings`.

    The first call takes some ten seconds, later ones read a cache in `cache_dir` (None: `$BERTMINI_CACHE`, else the
    system's place for caches).
    """
    return ListCorpus(library_documents(cache_dir), name="library-docs")


def open_corpus(spec: str) -> Corpus:
    """The corpus that a command line names: `library-docs`, `hub:OWNER/NAME`, or a path.

    Raises `ValueError` for none of these.
    """
    if not spec.strip():
        raise ValueError("the corpus has no name: expected library-docs, hub:OWNER/NAME, or a path; . is this folder")
    if spec == "library-docs":
        return library_docs()
    if spec.startswith("hub:"):
        return from_hub(spec.removeprefix("hub:"))
    if not Path(spec).is_dir() and not is_regular(Path(spec)):
        raise ValueError(
            f"no corpus {spec!r}: expected library-docs, hub:OWNER/NAME, or the path of a file or folder; paths begin "
            f"at {Path.cwd()}"
        )
    return TextCorpus(spec)


def is_held_out(document: Document, *, one_in: int = 20) -> bool:
    """Whether this document is for evaluation: one in `one_in`, chosen by its text alone.

    A checksum of the text decides, so a document that occurs twice is on the same side both times, wherever it stands,
    and no list of indices has to be kept.
    """
    return zlib.crc32("\n".join(document).encode()) % one_in == 0
