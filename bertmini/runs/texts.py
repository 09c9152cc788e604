"""Whether a resumed run reads what it was begun with: checksums of its texts and its vocabulary, in corpus.json.

A text that was edited between two sittings would go into one curve with the old one, and the run would end with
weights that nobody can make again. Files of up to 64 MiB are read whole. Of a longer one the size and 1,024 blocks,
evenly spread, are looked at, so that a terabyte takes no longer: an edit between the blocks that keeps the size is not
noticed there, all others are.

Taught in chapter 07.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bertmini.data.corpora.sources import Corpus, ListCorpus, RowsCorpus, TextCorpus
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.files import read_json, write_atomically

TEXTS_FILE = "corpus.json"
BLOCK, BLOCKS = 1 << 16, 1 << 10

Texts = dict[str, list[Any]]
"""For each text its size (bytes, documents or rows) and a checksum, by name."""


def look_at(corpus: Corpus) -> Texts:
    """Take a corpus's sizes and checksums."""
    if isinstance(corpus, TextCorpus):
        return {str(path): [path.stat().st_size, _digest(_blocks(path))] for path in corpus.files}
    if isinstance(corpus, ListCorpus):
        return {corpus.name: [len(corpus.documents), _digest("\n".join(one).encode() for one in corpus.documents)]}
    if isinstance(corpus, RowsCorpus):
        count = len(corpus.rows)
        some = (corpus.rows[row][corpus.column] for row in _spread(count))
        return {corpus.name: [count, _digest(json.dumps(text).encode() for text in some)]}
    return {}


def look_at_vocabulary(tokenizer: WordPieceTokenizer) -> Texts:
    """Take a tokenizer's size and checksum, its options with its pieces."""
    whole = json.dumps([tokenizer.pieces, tokenizer.options]).encode()
    return {"vocabulary": [len(tokenizer), _digest([whole])]}


def _spread(count: int) -> list[int]:
    """At most `BLOCKS` places of `count`, from the first to the last."""
    if count <= BLOCKS:
        return list(range(count))
    return [place * (count - 1) // (BLOCKS - 1) for place in range(BLOCKS)]


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for place in _spread(-(-path.stat().st_size // BLOCK)):
            file.seek(place * BLOCK)
            yield file.read(BLOCK)


def _digest(parts: Any) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))  # so that "ab", "c" is not "a", "bc"
        digest.update(part)
    return digest.hexdigest()


def store_texts(folder: Path, texts: Texts) -> None:
    """Write down what a run reads."""
    write_atomically(folder / TEXTS_FILE, json.dumps(texts, indent=1) + "\n")


def refuse_other_texts(folder: Path, now: Texts) -> None:
    """Compare what a run reads now with what it read when it was begun, if it was.

    Raises `ValueError` naming the first text that is another, or is missing, or is new.
    """
    path = folder / TEXTS_FILE
    if not path.is_file():
        return
    cure = f"bring back what the run in {folder} was begun with, or begin a new run in another folder"
    try:
        before: Texts = read_json(path)
    except ValueError as error:
        raise ValueError(f"{error}; begin the run anew in another folder") from error
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            raise ValueError(f"{name} is gone since the run was begun: {cure}")
        if name not in before:
            raise ValueError(f"{name} was not there when the run was begun, so the text has changed: {cure}")
        if before[name] != now[name]:
            raise ValueError(f"{name} has changed since the run was begun: {cure}")
