"""Text files of any size: lines and sentences.

Memory is bounded whatever the file: a line longer than `LINE_BYTES` comes in pieces, cut at the end of a sentence, else
at a space. Every line comes with the byte offset after it, so that reading can go on later from there.

Left out on purpose: sentence splitting beyond punctuation and a few abbreviations; other encodings than UTF-8.
Taught in chapter 07.
"""

import re
from collections.abc import Iterator
from pathlib import Path

Document = list[str]
"""Sentences, in order."""

LINE_BYTES = 1 << 16
"""Longer lines are read in pieces."""

_SENTENCE_END = re.compile(r"""[.!?…]["'”’»)\]]{0,3}\s|[。！？]+[”’」』）]*\s?""")
_SENTENCE_START = re.compile(r"""["'“‘«(\[]*(\w)""")
_ABBREVIATION = re.compile(
    "mr|mrs|ms|dr|prof|st|jr|sr|gen|col|capt|lt|rev|hon|sen|rep|gov|vs|cf|al|figs?|eq|sec|ch|vol|nos|pp|eds?|approx|ca|"
    r"e\.g|i\.e|viz|inc|ltd|co|corp|mt|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|u\.s|u\.k",
    re.IGNORECASE,
)


def split_sentences(text: str) -> Document:
    """Sentences of `text`, white space made single spaces.

    A sentence ends at `.`, `!`, `?` or `…` before white space, unless a small letter follows or the full stop
    belongs to an abbreviation or an initial; and at `。`, `！` and `？` always.

    >>> split_sentences("Dr. Ada E. Moss saw it. It was gone!  Was it? (Yes.)")
    ['Dr. Ada E. Moss saw it.', 'It was gone!', 'Was it?', '(Yes.)']
    """
    text = " ".join(text.split())
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if _is_end(text, match)]
    sentences = (text[start:end].strip() for start, end in zip([0, *ends], [*ends, len(text)], strict=True))
    return [sentence for sentence in sentences if sentence]


def _is_end(text: str, match: re.Match[str]) -> bool:
    if match[0][0] in "。！？":
        return True
    following = _SENTENCE_START.match(text, match.end())
    if following and following[1].islower():
        return False
    if match[0] != ". ":
        return True
    word = text[text.rfind(" ", 0, match.start()) + 1 : match.start()].lstrip("\"'“‘([")
    is_initial = len(word) == 1 and word.isupper() and word != "I"
    return not is_initial and not _ABBREVIATION.fullmatch(word)


# ---- lines ----


def read_lines(path: Path, offset: int) -> Iterator[tuple[str, int]]:
    """Lines from byte `offset` on, without their ends, each with the offset after it; long ones in pieces.

    Raises `ValueError` for bytes that are not UTF-8, and for NUL bytes (a binary file).
    """
    with open(path, "rb") as file:
        file.seek(offset)
        while raw := file.readline(LINE_BYTES):
            is_cut = len(raw) == LINE_BYTES and not raw.endswith(b"\n")
            line = decode(raw, path, offset, may_be_cut=is_cut)
            if is_cut:
                line = line[: _last_stop(line)]
                file.seek(offset + len(line.encode()))
            offset = file.tell()
            yield line.removeprefix("\ufeff").rstrip("\r\n"), offset


def decode(raw: bytes, path: Path, offset: int, *, may_be_cut: bool = False) -> str:
    """UTF-8 to text; `offset` is where `raw` stands in the file. Raises `ValueError` that names the first bad byte."""
    if (nul := raw.find(b"\0")) >= 0:
        raise ValueError(
            f"{path} is not a text file: byte {offset + nul} is NUL; take it out of the corpus, or convert it from "
            "UTF-16 to UTF-8 if it is text"
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if may_be_cut and error.reason == "unexpected end of data":
            return raw[: error.start].decode("utf-8")
        raise ValueError(
            f"{path} is not UTF-8 text: invalid byte 0x{raw[error.start]:02x} at byte {offset + error.start}; convert "
            f"it (iconv -f latin1 -t utf-8) or take it out of the corpus"
        ) from None


def _last_stop(line: str) -> int:
    """Where to cut a line that is too long: after its last sentence but one, else after a space, else at its end."""
    ends = [match.end() for match in _SENTENCE_END.finditer(line) if match.end() < len(line)]
    return ends[-1] if ends else line.rfind(" ") + 1 or len(line)
