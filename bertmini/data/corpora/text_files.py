"""Text files of any size: lines and sentences.

Memory is bounded whatever the file: a line longer than `LINE_BYTES` comes in pieces, cut at the end of a sentence, else
at a space. Every line comes with the byte offset after it, so that reading can go on later from there.

Sentences end at the stops of all scripts in use, after Unicode's property Sentence_Terminal (Unicode Standard Annex 44,
PropList.txt); Thai and Lao have none and put a space there. No library splits sentences here: those that know many
languages must be told which one a text is in, and a corpus does not say.

Left out on purpose: sentence splitting beyond punctuation and a few English abbreviations; other encodings than UTF-8.
Taught in chapter 07.
"""

import re
from collections.abc import Iterator
from os import SEEK_CUR
from pathlib import Path

Document = list[str]
"""Sentences, in order."""

LINE_BYTES = 1 << 16
"""Longer lines are read in pieces."""

# Stops that need no space behind them, by script: Armenian; Arabic and Urdu; Syriac; N'Ko; Devanagari and its relatives
# (danda); Burmese; Ethiopic; Canadian syllabics; Khmer; Mongolian; Limbu; Balinese; Lepcha; Ol Chiki; Chinese and
# Japanese, also half as wide and upright; Lisu; Vai; Bamum; Javanese; Cham; Meetei Mayek.
STOPS = (
    "\u0589\u061d-\u061f\u06d4\u0700-\u0702\u07f9\u0964\u0965\u104b\u1362\u1367\u1368\u166e\u17d4\u17d5\u1803\u1809"
    "\u1944\u1945\u1b5a\u1b5b\u1b5e\u1b5f\u1c3b\u1c3c\u1c7e\u1c7f\u3002\ua4ff\ua60e\ua60f\ua6f3\ua6f7\ua92f\ua9c8\ua9c9"
    "\uaa5d-\uaa5f\uaaf0\uaaf1\uabeb\ufe12\ufe15\ufe16\ufe52\ufe56\ufe57\uff01\uff0e\uff1f\uff61"
)
_THAI_OR_LAO = "[\u0e01-\u0e45\u0e47-\u0e4e\u0e81-\u0ec5\u0ec7-\u0ecf]"  # letters and marks, but no sign of repetition
_SENTENCE_END = re.compile(
    rf"""[.!?…‼‽⁇⁈⁉]["'”’»)\]]{{0,3}}\s|[{STOPS}](?:\s?\d{{1,4}}\s?[\u0964\u0965])?[{STOPS}!?]*["'”’»)\]」』）]*\s?"""
    rf"""|(?<={_THAI_OR_LAO})\s(?={_THAI_OR_LAO})"""
)
STOP_AT_END = re.compile(rf"""[.!?…‼‽⁇⁈⁉{STOPS}]["'”’»)\]」』）]*$""")
"""A line that ends so ends a sentence."""
_SENTENCE_START = re.compile(r"""["'“‘«(\[]*(\w)""")
_ABBREVIATION = re.compile(
    "mr|mrs|ms|dr|prof|st|jr|sr|gen|col|capt|lt|rev|hon|sen|rep|gov|vs|cf|al|figs?|eq|sec|ch|vol|nos|pp|eds?|approx|ca|"
    r"e\.g|i\.e|viz|inc|ltd|co|corp|mt|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|u\.s|u\.k",
    re.IGNORECASE,
)


def split_sentences(text: str) -> Document:
    """Sentences of `text`, white space made single spaces.

    A sentence ends at `.`, `!`, `?` or `…` before white space, unless a small letter follows or the full stop
    belongs to an abbreviation or an initial; at the stops of other scripts (`STOPS`) always, unless between digits; and
    in Thai and Lao at a space between words, which stands for a stop there.

    >>> split_sentences("Dr. Ada E. Moss saw it. It was gone!  Was it? (Yes.)")
    ['Dr. Ada E. Moss saw it.', 'It was gone!', 'Was it?', '(Yes.)']
    >>> split_sentences("घर बड़ा है।वह नया है। कैसा?")
    ['घर बड़ा है।', 'वह नया है।', 'कैसा?']
    """
    text = " ".join(text.split())
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if _is_end(text, match)]
    sentences = (text[start:end].strip() for start, end in zip([0, *ends], [*ends, len(text)], strict=True))
    return [sentence for sentence in sentences if sentence]


def _is_end(text: str, match: re.Match[str]) -> bool:
    if match[0][0] not in ".!?…‼‽⁇⁈⁉":
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        return not (len(match[0]) == 1 and before.isdigit() and after.isdigit())  # ３．１４
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

    Lines end as Python's text files do: with a line feed, with a carriage return (old Macs), or with both. Raises
    `ValueError` for bytes that are not UTF-8, and for NUL bytes (a binary file).
    """
    with open(path, "rb") as file:
        file.seek(offset)
        while raw := file.readline(LINE_BYTES):
            is_cut = len(raw) == LINE_BYTES and not raw.endswith(b"\n")
            *whole, raw = split_carriages(raw)
            if is_cut and whole:  # what follows the last carriage return is read again, with what comes after it
                file.seek(-len(raw), SEEK_CUR)
                is_cut, raw = False, b""
            for part in [*whole, raw] if raw else whole:
                line = decode(part, path, offset, may_be_cut=is_cut)
                if is_cut:
                    line = line[: _last_stop(line)]
                    file.seek(offset + len(line.encode()))
                offset = offset + len(line.encode()) if is_cut else offset + len(part)
                yield line.removeprefix("\ufeff").rstrip("\r\n"), offset


def split_carriages(raw: bytes) -> list[bytes]:
    r"""Split behind each carriage return that no line feed follows; at the end of `raw` nobody knows, so not there.

    >>> split_carriages(b"a\rb\r\n"), split_carriages(b"a\r")
    ([b'a\r', b'b\r\n'], [b'a\r'])
    """
    return _CARRIAGE.split(raw) if b"\r" in raw else [raw]


_CARRIAGE = re.compile(rb"(?<=\r)(?!\n|\Z)")


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
