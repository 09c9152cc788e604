"""Tables of labelled texts, from files: which columns, which classes, and what is wrong in which line.

What nobody can have meant is refused: a missing value that was spelled out, a heading in the middle, two classes that
look alike.

Left out on purpose: quoted fields, other tables than .tsv and .jsonl, examples too many for memory.
Taught in chapter 08.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bertmini.data.corpora.text_files import decode
from bertmini.files import is_regular, parse_json


class LabelledText(NamedTuple):
    """A text, or a pair of texts (`pair` is not None), and the name of its class."""

    text: str
    pair: str | None
    label: str


def read_labelled(
    path: str | Path, *, text: str = "text", pair: str | None = None, label: str = "label"
) -> list[LabelledText]:
    """Read a table of texts and their classes; `text`, `pair` and `label` name its columns.

    A .tsv file has one example a line, fields between tabs, nothing quoted; its first line names the columns. Where it
    does not, give the columns' numbers, from "1". A .jsonl file has an object a line.

    Raises `ValueError`, naming file and line, for another ending, a column that is missing or named twice, a line
    without text or label, a heading that comes again, classes that look alike, and a file without examples.
    """
    examples = []
    looks: dict[str, tuple[str, str]] = {}
    for where, fields in read_columns(path, {"text": text, "pair": pair, "label": label}):
        example = LabelledText(str(fields["text"]), fields["pair"], str(fields["label"]).strip())
        before, line = looks.setdefault(look(example.label), (example.label, where))
        if before != example.label:
            raise ValueError(
                f"{where}: the label {example.label!a} looks like {before!a} of {line.rpartition(', ')[2]}: "
                "write one of them everywhere"
            )
        examples.append(example)
    return examples


def read_columns(path: str | Path, columns: Mapping[str, str | None]) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Yield where each line stands and, by role, the texts in the columns; a role whose column is None has None.

    Raises `ValueError` as `read_labelled` does.
    """
    path = Path(path)
    is_regular(path)  # or it is said what is there instead
    if path.suffix not in READERS:
        raise ValueError(f"{path} ends in {path.suffix or 'nothing'!r}: expected {' or '.join(READERS)}")
    named = [name for name in columns.values() if name is not None]
    where = ""
    for number, fields in READERS[path.suffix](path, named):
        where = f"{path}, line {number}"
        found = {
            role: None if column is None else _checked(fields[column], f"{where}: {role} ({column!r})")
            for role, column in columns.items()
        }
        texts = [text.strip() for text in found.values() if text is not None]
        if texts == named and not all(column.isdecimal() for column in named):
            raise ValueError(f"{where} is the heading again: were files joined? take the line out")
        yield where, found
    if not where:
        raise ValueError(f"{path} holds no examples")


def _read_tsv(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line's number and its fields by name."""
    names: list[str] = []
    numbered = all(column.isdecimal() for column in columns)
    for number, line in _numbered_lines(path):
        fields = line.split("\t")
        if not names:
            names = [str(i) for i in range(1, len(fields) + 1)] if numbered else [field.strip() for field in fields]
            if twice := [column for column in columns if names.count(column) > 1]:
                raise ValueError(f"{path}, line {number} names the column {twice[0]!r} twice: rename one of them")
            cure = "" if numbered else "; where the first line is no heading, give the columns' numbers, from 1"
            _require(columns, names, f"{path} has no column", cure)
            if not numbered:
                continue
        if len(fields) != len(names):
            raise ValueError(f"{path}, line {number} has {len(fields)} fields between tabs, the first has {len(names)}")
        yield number, dict(zip(names, fields, strict=True))


def _read_jsonl(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line's number and its object."""
    for number, line in _numbered_lines(path):
        fields = parse_json(line, f"{path}, line {number}")
        _require(columns, list(fields), f"{path}, line {number} has no", "")
        yield number, fields


READERS = {".tsv": _read_tsv, ".jsonl": _read_jsonl}


def _numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number the lines, from 1, and give those that are not blank; a file of an old Mac has carriage returns alone."""
    text = decode(path.read_bytes(), path, 0).removeprefix("\ufeff")
    for number, line in enumerate(text.split("\n" if "\n" in text else "\r"), start=1):
        if line.strip():
            yield number, line.removesuffix("\r")


def _require(columns: Sequence[str], names: Sequence[str], start: str, cure: str) -> None:
    """Refuse a table without one of the columns."""
    for column in columns:
        if column not in names:
            known = ", ".join(repr(name if len(name) <= 30 else f"{name[:27]}...") for name in names)
            raise ValueError(f"{start} {column!r}; there are {known}{cure}")


def _checked(value: Any, where: str) -> str:
    """Give a field as text: numbers are spelled out; what is no text, or stands for none, is refused."""
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{where} is {json.dumps(value)[:30]}: expected text")
    if not _UNSEEN.sub("", value).strip():
        raise ValueError(f"{where} is empty")
    if value.strip() in MISSING:
        raise ValueError(f"{where} is {value.strip()!r}, a missing value that was spelled out: take the line out")
    return value


MISSING = ("NaN", "nan", "<NA>", "#N/A")
"""How Python, pandas and spreadsheets write that there is nothing."""

# What leaves no trace on a page: zero-width and control characters, marks of direction, soft hyphens, selectors.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_ALIKE = str.maketrans("АВЕЅІЈКМНОРСТХаеѕіјорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧο‐‑‒−", "ABESIJKMHOPCTXaesijopcyxABEZHIKMNOPTYXo----")


def look(label: str) -> str:
    """What a reader sees of a label: the same for two that nobody can tell apart.

    >>> look("cafe\\u0301") == look("caf\\u00e9 "), look("1.0") == look("1"), look("yes") == look("Yes")
    (True, True, False)
    """
    seen = " ".join(_UNSEEN.sub("", unicodedata.normalize("NFKC", label)).translate(_ALIKE).split())
    whole = _WHOLE.fullmatch(seen)
    return whole[1] if whole else seen


def label_names(examples: Sequence[LabelledText]) -> tuple[str, ...]:
    """List the classes that occur, whole numbers by size and names by alphabet: a class's place is its number.

    Raises `ValueError` if there are fewer than two.

    >>> label_names([LabelledText("fine", None, "10"), LabelledText("poor", None, "2")])
    ('2', '10')
    """
    names = {example.label for example in examples}
    if len(names) < 2:
        found = f"only {min(names)!r}" if names else "none"
        raise ValueError(
            f"a classifier needs at least two classes, but among {len(examples)} examples there is {found}"
        )
    whole = all(len(name) < 20 and name.removeprefix("-").isdecimal() for name in names)
    return tuple(sorted(names, key=lambda name: (int(name) if whole else 0, name)))
