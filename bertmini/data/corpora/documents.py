"""Files become documents: lists of sentences in order, each with the byte offset after it.

- `.txt`: a blank line ends a document, as in google-research/bert's input format. A document of a single sentence (a
  heading, a line of dialogue) goes on with the next paragraph, since one sentence has no next one to learn from. When
  most lines of a paragraph end a sentence, lines are split one by one (the format with a sentence per line); otherwise
  they are wrapped prose and are joined first. A file that begins with a title line `= Title =` is wikitext: there a
  document is the whole article up to the next title, since BERT wants many sentences of one topic; headings are left
  out.
- `.md`: a heading ends a document, see `markdown`.
- `.jsonl`: a record is a document, from its list `sentences` or its `text`.

Nothing is remembered from one document to the next, so an offset is all that it takes to go on later. A document over
`DOCUMENT_CHARS` is cut between lines.

Left out on purpose: HTML pages, word-processor files.
Taught in chapter 07.
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

from bertmini.data.corpora.text_files import STOP_AT_END, Document, decode, read_lines, split_carriages, split_sentences
from bertmini.files import parse_json

DOCUMENT_CHARS = 1 << 16
"""A longer document is cut, so that memory does not grow with a file without blank lines."""

RECORD_BYTES = 1 << 26
"""A longer line of a .jsonl file is refused: one record has to be in memory whole."""


class Break(IntEnum):
    """What ends before a line."""

    NOTHING = 0
    PARAGRAPH = 1
    DOCUMENT = 2


Marked = Iterator[tuple[Break, str, int]]
"""Lines with what ends before each, and the offset after each. A line that ends a document is itself empty."""


def mark_plain(lines: Iterator[tuple[str, int]]) -> Marked:
    """Plain text: a blank line ends the document."""
    for line, end in lines:
        yield (Break.NOTHING if line.strip() else Break.DOCUMENT), line, end


_TITLE = re.compile(r"^\s*= [^=].*[^=] =\s*$")


def mark_wikitext(lines: Iterator[tuple[str, int]]) -> Marked:
    """Wikitext: a title ends the document, lines are paragraphs, headings are left out."""
    for line, end in lines:
        if _TITLE.match(line):
            yield Break.DOCUMENT, "", end
        else:
            yield Break.PARAGRAPH, "" if line.strip().startswith("= =") else line, end


def assemble(marked: Marked) -> Iterator[tuple[Document, int]]:
    """Documents from marked lines, each with the offset after it."""
    document: Document = []
    paragraph: list[str] = []
    size, end = 0, 0
    for ends, line, end in marked:
        if ends:
            document += paragraph_sentences(paragraph)
            paragraph = []
        if line.strip():
            paragraph.append(line)
            size += len(line)
        if (ends is Break.DOCUMENT and len(document) > 1) or size >= DOCUMENT_CHARS:
            yield document + paragraph_sentences(paragraph), end
            document, paragraph, size = [], [], 0
    document += paragraph_sentences(paragraph)
    if document:
        yield document, end


def paragraph_sentences(lines: list[str]) -> Document:
    """The sentences of a paragraph: line by line where most lines end one, else of the lines joined."""
    stops = sum(bool(STOP_AT_END.search(line.rstrip()[-6:])) for line in lines)
    parts = lines if 2 * stops > len(lines) else [" ".join(lines)]
    return [sentence for part in parts for sentence in split_sentences(part)]


def plain_documents(path: Path, offset: int) -> Iterator[tuple[Document, int]]:
    """Documents of a `.txt` file, wikitext if it begins with a title."""
    first = next((line for line, _ in read_lines(path, 0) if line.strip()), "")
    mark = mark_wikitext if _TITLE.match(first) else mark_plain
    return assemble(mark(read_lines(path, offset)))


# ---- JSON lines ----


def jsonl_documents(path: Path, offset: int, column: str | None = None) -> Iterator[tuple[Document, int]]:
    """Documents of a `.jsonl` file: a record's `column`, or else its `sentences` or its `text`.

    Raises `ValueError`, naming file and line, for a line that is not JSON or has no such field.
    """
    with open(path, "rb") as file:
        file.seek(offset)
        while raw := file.readline(RECORD_BYTES):
            start = file.tell() - len(raw)
            for line in split_carriages(raw):
                if line.strip(b"\xef\xbb\xbf \t\r\n"):
                    document = _record(path, start, line, column)
                    if document:
                        yield document, start + len(line)
                start += len(line)


def _record(path: Path, start: int, line: bytes, column: str | None) -> Document:
    """The document in one line. Raises `ValueError` naming file and line."""
    if len(line) == RECORD_BYTES:
        where = f"{path}, line {_line_number(path, start)}"
        raise ValueError(
            f"{where}: the record has more than {RECORD_BYTES} bytes: give each document a line of its own"
        )
    try:
        return record_document(parse_json(decode(line, path, start), "the record"), column)
    except ValueError as error:
        told = str(error)
    where = f"{path}, line {_line_number(path, start)}"
    raise ValueError(told if told.startswith(str(path)) else f"{where}: {told}")


_SURROGATE = re.compile("[\ud800-\udfff]")


def record_document(record: dict[str, object], column: str | None = None) -> Document:
    """The document in a record: a list of sentences as it is, a text split at its lines and sentences."""
    name = column or next((name for name in ("sentences", "text") if name in record), "text")
    value = record.get(name)
    if isinstance(value, str):
        sentences = [sentence for line in value.split("\n") for sentence in split_sentences(line)]
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        sentences = [" ".join(item.split()) for item in value if item.strip()]
    else:
        has = f"has {type(value).__name__} there" if name in record else f"has only {', '.join(map(repr, record))}"
        raise ValueError(
            f"expected a text or a list of sentences in {column or 'text or sentences'!r}; the record {has}"
        )
    if any(map(_SURROGATE.search, sentences)):  # of a row that never was JSON
        raise ValueError("half a surrogate pair (a lone \\ud800 to \\udfff): write the whole character instead")
    return sentences


def _line_number(path: Path, offset: int) -> int:
    """Counted only when an error is told."""
    with open(path, "rb") as file:
        number = 1
        while offset > 0 and (chunk := file.readline(min(offset, 1 << 20))):
            number += len(split_carriages(chunk)) - 1 + chunk.endswith((b"\n", b"\r"))
            offset -= len(chunk)
    return number
