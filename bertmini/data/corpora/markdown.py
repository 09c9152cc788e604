"""Markdown becomes documents: prose only, by CommonMark's rules.

The library `markdown-it-py` reads the blocks and what is in them (CommonMark 0.31, and GitHub's tables); here is
decided what counts as prose. A heading of the outermost level ends a document and is left out, as are code, tables,
HTML, styles, scripts, comments, pictures, link targets, addresses and front matter. Words in `code` inside a sentence
stay, since without them it would be none; a paragraph without other words does not.

A file is read in windows: all blocks but the last in a window are whole, so the next window begins with that one.
What a window must know of the rest of the file, the names that links may refer to, is looked for beforehand.

Left out on purpose: footnotes and formulas, which CommonMark does not know. Taught in chapter 07.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.token import Token

from bertmini.data.corpora.documents import DOCUMENT_CHARS, RECORD_BYTES, paragraph_sentences
from bertmini.data.corpora.text_files import Document, decode

WINDOW_BYTES = 1 << 18

_READER = MarkdownIt("commonmark").enable("table").disable("inline")
_LINE = re.compile(r"\r\n|\r|\n")
_DEFINITION = re.compile(rb"(?:(?<=[\r\n])|\A) {0,3}\[((?:[^\[\]\\]|\\.){1,999})\]:")
_FRONT_MATTER = re.compile(  # YAML begins with a name and a colon, so that a rule at the top of a page is none
    rb"(?:\xef\xbb\xbf)?(?:---[ \t]*\r?\n(?=(?:#[^\n]*\n)*(?:[\w\"'][^\n]*:|---|\.\.\.))"
    rb"(?:(?!---|\.\.\.)[^\n]*\n)*?(?:---|\.\.\.)"
    rb"|\+\+\+[ \t]*\r?\n(?:(?!\+\+\+)[^\n]*\n)*?\+\+\+)[ \t]*(?:\r?\n|\Z)"
)
_UNSEEN = re.compile(r"<(/?)(?:style|script)\b", re.IGNORECASE)


class Block(NamedTuple):
    """A block of the outermost level: whether it is a heading, its paragraphs of prose, and the offset after it."""

    is_heading: bool
    paragraphs: list[list[str]]
    end: int


def markdown_documents(path: Path, offset: int) -> Iterator[tuple[Document, int]]:
    """Documents of a `.md` file, each with the offset after it."""
    document: Document = []
    end = offset
    size = 0
    for is_heading, paragraphs, end in markdown_blocks(path, offset):
        for lines in paragraphs:
            document += paragraph_sentences(lines)
            size += sum(map(len, lines))
        if (is_heading and len(document) > 1) or size >= DOCUMENT_CHARS:
            yield document, end
            document, size = [], 0
    if document:
        yield document, end


def markdown_blocks(path: Path, offset: int) -> Iterator[Block]:
    """The blocks from byte `offset` on. Raises `ValueError` for bytes that are no text, and for one endless block."""
    known = _names(path, path.stat().st_size, path.stat().st_mtime_ns)
    with open(path, "rb") as file:
        if offset == 0 and (matter := _FRONT_MATTER.match(file.read(WINDOW_BYTES))):
            offset = matter.end()
        window = WINDOW_BYTES
        while True:
            file.seek(offset)
            raw = file.read(window)
            is_last = len(raw) < window
            text = decode(raw, path, offset, may_be_cut=not is_last).removeprefix("\ufeff" if offset == 0 else "")
            bom = 3 if offset == 0 and raw.startswith(b"\xef\xbb\xbf") else 0
            blocks = list(_outermost(_READER.parse(text, {"references": dict(known)})))
            ends = _line_ends(text, offset + bom)
            whole = blocks if is_last else blocks[:-1]
            for block in whole:
                yield Block(block[0].type == "heading_open", list(_prose(block, known)), ends[_span(block)[1]])
            if is_last:
                return
            begin = offset if not blocks else ends[_span(blocks[-1])[0]]
            if not blocks and text.strip() == "":
                begin = offset + len(raw)
            window = WINDOW_BYTES if begin > offset else 2 * window
            offset = begin
            if window > RECORD_BYTES:
                raise ValueError(
                    f"{path}: the block at byte {offset} has more than {RECORD_BYTES // 2} bytes: is it text?"
                )


def _outermost(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """Group tokens into blocks of the outermost level."""
    group: list[Token] = []
    for token in tokens:
        group.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield group
            group = []


def _span(block: Sequence[Token]) -> list[int]:
    """A block's first line, and the line after its last."""
    assert block[0].map is not None
    return block[0].map


def _line_ends(text: str, offset: int) -> list[int]:
    """The byte offset of each line's beginning, and of the end of the last."""
    ends, begin = [offset], 0
    for match in _LINE.finditer(text):
        offset += len(text[begin : match.end()].encode())
        begin = match.end()
        ends.append(offset)
    return [*ends, offset + len(text[begin:].encode())]


def _prose(block: Sequence[Token], known: dict[str, Any]) -> Iterator[list[str]]:
    """The lines of each paragraph in a block, without those that hold no words."""
    for opened, token in pairwise(block):
        if opened.type == "paragraph_open":
            children: list[Token] = []
            _READER.inline.parse(token.content, _READER, {"references": known}, children)
            lines = _words(children)
            if lines:
                yield lines


def _words(children: Iterable[Token]) -> list[str]:
    """The lines that a reader of the page would see; none if they are all code, pictures and addresses."""
    seen, unseen = "", False
    has_words = False
    for child in children:
        if child.type == "html_inline" and (found := _UNSEEN.match(child.content)):
            unseen = not found[1]
        elif unseen or (child.type == "text" and child.content.isspace() and not seen):
            continue
        elif child.type in ("text", "text_special"):  # plain, or spelled by an escape or an entity
            has_words = has_words or any(map(str.isalpha, child.content))
            seen += child.content
        elif child.type == "code_inline":
            seen += child.content
        elif child.type in ("softbreak", "hardbreak"):
            seen += "\n"
    return [line for line in seen.split("\n") if line.strip()] if has_words else []


@lru_cache(maxsize=8)
def _names(path: Path, size: int, changed: int) -> dict[str, Any]:  # noqa: ARG001 (a changed file is read again)
    """What links may refer to, as `markdown-it-py` keeps it. Definitions in code count too."""
    names: dict[str, Any] = {}
    with open(path, "rb") as file:
        rest = b""
        while chunk := file.read(1 << 20):
            for found in _DEFINITION.finditer(rest + chunk):
                names[normalizeReference(found[1].decode("utf-8", "replace"))] = {"href": "", "title": ""}
            rest = chunk[-1_024:]
    return names
