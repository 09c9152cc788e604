"""Files of tagged words: a word and its tag on a line, an empty line after a sentence, as in the CoNLL shared tasks.

Further columns between them, such as parts of speech, are passed over: the word is the first, the tag the last. Columns
are parted by tabs, or, in a file without any, by spaces. Lines that begin with -DOCSTART- are no words.

What nobody can have meant is refused: a tag that is none of BIO, kinds that look alike, a line with more or fewer
columns than the first. The older IOB1 is rewritten, see `as_bio`. Source: Tjong Kim Sang and De Meulder 2003.
Left out on purpose: spans that are marked in other ways (BIOES, brackets), CoNLL-U. Taught in chapter 09.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from bertmini.data.corpora.text_files import decode
from bertmini.data.tables import look
from bertmini.data.tagging import TaggedWords, as_bio
from bertmini.files import is_regular

_TAG = re.compile(r"O|[BI]-\S+")


def read_conll(path: str | Path) -> list[TaggedWords]:
    """Read sentences of tagged words.

    Raises `ValueError`, naming file and line, for a tag that is none of BIO, kinds that look alike, a line with another
    number of columns than the first, an empty word, and a file without words.
    """
    path = Path(path)
    is_regular(path)  # or it is said what is there instead
    sentences: list[TaggedWords] = []
    looks: dict[str, tuple[str, int]] = {}
    words: list[str] = []
    tags: list[str] = []
    for number, columns in [*_columns(path), (0, [])]:
        if columns:
            words.append(columns[0])
            tags.append(_checked(columns[-1], f"{path}, line {number}", looks, number))
        elif words:
            sentences.append(TaggedWords(tuple(words), tuple(as_bio(tags))))
            words, tags = [], []
    if not sentences:
        raise ValueError(f"{path} holds no words")
    return sentences


def _columns(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each line's number, from 1, and its columns: none for an empty line, which ends a sentence."""
    text = decode(path.read_bytes(), path, 0).removeprefix("\ufeff")
    tabs, first = "\t" in text, 0
    for number, line in enumerate(text.split("\n" if "\n" in text else "\r"), start=1):
        columns = [column.strip() for column in line.split("\t")] if tabs else line.split()
        if not any(columns) or columns[0].startswith("-DOCSTART-"):
            yield number, []
            continue
        first = first or len(columns)
        if len(columns) < 2 or len(columns) != first:
            expected = f"the first has {first}" if first > 1 else "expected a word and its tag"
            raise ValueError(f"{path}, line {number} has {len(columns)} columns, {expected}")
        if not columns[0]:
            raise ValueError(f"{path}, line {number}: the word is empty")
        yield number, columns


def _checked(tag: str, where: str, looks: dict[str, tuple[str, int]], number: int) -> str:
    """Give a tag back if it is one, and if its kind does not look like another."""
    if not _TAG.fullmatch(tag):
        raise ValueError(f"{where}: the tag is {tag[:30]!a}; expected O, or B- or I- before a kind")
    before, line = looks.setdefault(look(tag[2:]), (tag[2:], number))
    if before != tag[2:]:
        raise ValueError(
            f"{where}: the kind {tag[2:]!a} looks like {before!a} of line {line}: write one of them everywhere"
        )
    return tag
