"""Corpora: positions, portions, bounded memory, and every mistake named."""

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmini.data.corpora import sources
from bertmini.data.corpora.sources import (
    Corpus,
    ListCorpus,
    Position,
    TextCorpus,
    is_held_out,
    library_docs,
    open_corpus,
)
from bertmini.data.corpora.text_files import Document

NOTES = {
    "a.txt": "The mill stands still. Nobody came.\n\nIt rained. It snowed.\n",
    "b/c.md": "# Mill\n\nThe mill is old. It leaks.\n\n## Lane\n\nThe lane is long. It bends.\n",
    "b/d.JSONL": '{"text": "A lamp burns. A cat sleeps."}\n{"sentences": ["one", "two"]}\n',
    "empty.txt": "",
}
ALL = [
    ["The mill stands still.", "Nobody came."],
    ["It rained.", "It snowed."],
    ["The mill is old.", "It leaks."],
    ["The lane is long.", "It bends."],
    ["A lamp burns.", "A cat sleeps."],
    ["one", "two"],
]


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def walk(corpus: Corpus, max_chars: int) -> list[tuple[Position | None, list[Document]]]:
    """Every portion with the position that it was read from, positions going through JSON as a checkpoint's do."""
    portions = []
    position: Position | None = None
    while True:
        documents, after = corpus.read(position, max_chars)
        portions.append((position, documents))
        if after is None:
            return portions
        position = tuple(json.loads(json.dumps(after)))


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path: Path) -> None:
    write(tmp_path, NOTES)
    write(
        tmp_path, {".hidden.txt": "Not this.", ".git/e.txt": "Nor this.", "f.py": "nor = this", "g/h.csv": "nor,this"}
    )
    corpus = TextCorpus(tmp_path)
    assert corpus.name == tmp_path.name
    assert corpus.read(None, 10_000) == (ALL, None)


@pytest.mark.parametrize("max_chars", [1, 30, 31, 70, 10_000])
def test_portions_make_up_the_corpus_and_positions_repeat(tmp_path: Path, max_chars: int) -> None:
    corpus = TextCorpus(str(write(tmp_path, NOTES)))
    portions = walk(corpus, max_chars)
    assert [document for _, documents in portions for document in documents] == ALL
    for position, documents in reversed(portions):
        assert corpus.read(position, max_chars)[0] == documents
        assert TextCorpus(tmp_path).read(list(position) if position else None, max_chars)[0] == documents  # type: ignore[arg-type]
    for _, documents in portions[:-1]:
        assert length(documents) >= max_chars
        assert length(documents[:-1]) < max_chars


@settings(max_examples=100)
@given(
    st.lists(st.lists(st.text("ab ", min_size=1), min_size=1, max_size=4), min_size=1, max_size=8),
    st.integers(1, 40),
)
def test_documents_in_memory(documents: list[Document], max_chars: int) -> None:
    corpus = ListCorpus(documents, name="mine")
    portions = walk(corpus, max_chars)
    assert [document for _, found in portions for document in found] == documents
    assert all(corpus.read(position, max_chars)[0] == found for position, found in portions)


def test_one_file_may_be_the_corpus(tmp_path: Path) -> None:
    write(tmp_path, NOTES)
    assert TextCorpus(tmp_path / "a.txt").read(None, 999) == (ALL[:2], None)
    both = TextCorpus(tmp_path / "b" / "d.JSONL", tmp_path / "a.txt", name="both")
    assert both.name == "both"
    assert both.read(None, 999) == (ALL[4:] + ALL[:2], None)


def test_a_column_of_ones_own(tmp_path: Path) -> None:
    write(tmp_path, {"a.jsonl": '{"text": "no", "review": "Good. Fine."}\n'})
    assert TextCorpus(tmp_path, column="review").read(None, 99)[0] == [["Good.", "Fine."]]


@pytest.mark.parametrize("separator", ["\n\n", "\n", " "])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, separator: str) -> None:
    """Paragraphs, lines without a blank one between, and a single line of 5 MB."""
    path = tmp_path / "long.txt"
    path.write_text(
        separator.join(f"Sentence {n} is here, and it is number {n}. It is one of many." for n in range(80_000))
    )
    assert path.stat().st_size > 5_000_000
    corpus = TextCorpus(path)
    position: Position | None = (0, 4_900_000)
    tracemalloc.start()
    while position is not None:
        documents, position = corpus.read(position, 100_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert documents[-1][-2:] == ["Sentence 79999 is here, and it is number 79999.", "It is one of many."]
    assert peak < 2_500_000
    portions = [documents for _, documents in walk(corpus, 100_000)]
    assert sum(len(document) for documents in portions for document in documents) == 160_000
    assert max(map(length, portions)) < 300_000


def length(documents: list[Document]) -> int:
    return sum(len(sentence) for document in documents for sentence in document)


# ---- mistakes ----


def test_paths_that_hold_no_text(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no file or folder .*nowhere': check the spelling; paths begin at"):
        TextCorpus(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"has no text files: expected one of .txt, .md, .jsonl as suffix"):
        TextCorpus(tmp_path)
    write(tmp_path, {"a.pdf": "x"})
    with pytest.raises(ValueError, match=r"a.pdf' has the suffix '.pdf': expected one of .txt, .md, .jsonl; rename"):
        TextCorpus(tmp_path / "a.pdf")
    write(tmp_path, {"a.txt": "", "b.md": ""})
    with pytest.raises(ValueError, match=r"is empty: expected at least one sentence"):
        TextCorpus(tmp_path)
    write(tmp_path, {"a.txt": " \n\n \n"})
    with pytest.raises(ValueError, match=r"is empty: expected at least one sentence"):
        TextCorpus(tmp_path).read(None, 10)
    with pytest.raises(ValueError, match=r"the corpus 'documents' is empty"):
        ListCorpus([[], []])


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Fine. Fine.\n\nBad \xfe here.\n")
    with pytest.raises(ValueError, match=r"a.txt is not UTF-8 text: invalid byte 0xfe at byte 17"):
        TextCorpus(tmp_path).read(None, 1000)
    (tmp_path / "a.txt").write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match=r"a.txt is not a text file: byte 0 is NUL"):
        TextCorpus(tmp_path).read(None, 1000)
    (tmp_path / "b.jsonl").write_text('{"title": "x"}\n')
    with pytest.raises(ValueError, match=r"b.jsonl, line 1: expected a text or a list of sentences"):
        TextCorpus(tmp_path / "b.jsonl").read(None, 1000)


@pytest.mark.parametrize("position", [(4, 0), (-1, 0), (0, 9999), (0, -1)])
def test_a_position_that_the_corpus_no_longer_has(tmp_path: Path, position: Position) -> None:
    corpus = TextCorpus(write(tmp_path, NOTES))
    with pytest.raises(ValueError, match=r"is not in the corpus .* it has changed since the position was stored"):
        corpus.read(position, 10)
    with pytest.raises(ValueError, match=r"position 3 is not in 'documents', which has 2 documents"):
        ListCorpus(ALL[:2]).read((3,), 10)


# ---- by name, and held out ----


def test_a_corpus_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, NOTES)
    assert open_corpus(str(tmp_path / "a.txt")).read(None, 999)[0] == ALL[:2]
    monkeypatch.setattr(sources, "library_documents", lambda folder: [["Said.", str(folder)]])
    assert open_corpus("library-docs").read(None, 99) == ([["Said.", "None"]], None)
    assert library_docs(tmp_path).read(None, 99)[0] == [["Said.", str(tmp_path)]]
    assert library_docs().name == "library-docs"
    with pytest.raises(
        ValueError, match=r"no corpus 'librarydocs': expected library-docs, hub:OWNER/NAME, or the path"
    ):
        open_corpus("librarydocs")


def test_held_out_documents_are_chosen_by_their_text() -> None:
    documents = [[f"Sentence {n}.", "Another."] for n in range(4000)]
    held_out = [document for document in documents if is_held_out(document)]
    assert 150 < len(held_out) < 250
    assert all(is_held_out(list(document)) for document in held_out)
    assert sum(is_held_out(document, one_in=2) for document in documents) == pytest.approx(2000, abs=120)
    assert is_held_out(["Any."], one_in=1)
    held_out_here = [n for n in range(30) if is_held_out([f"Sentence {n}."])]
    assert held_out_here == [5, 25, 29], "the same on every machine"


@pytest.mark.parametrize("spec", ["", " ", "hub:", "hub:/etc", "hub:../up", "hub:a/b/c", "hub:a/b:..", "hub:a/b:c/d"])
def test_what_names_no_corpus(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, NOTES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BERTMINI_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"the corpus has no name: expected|is no name of a data set: expected OWNER"):
        open_corpus(spec)


@pytest.mark.parametrize("paths", [(), ("",), (" ",)])
def test_a_corpus_of_no_path_is_not_the_current_folder(paths: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"a corpus needs a path, and none is named; write \. for the current folder"):
        TextCorpus(*paths)


def test_a_pipe_is_not_waited_for_and_a_linked_folder_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    for make in (TextCorpus, open_corpus):
        with pytest.raises(ValueError, match=r"a\.txt is a pipe or a device: expected a file"):
            make(str(tmp_path / "a.txt"))
    with pytest.raises(ValueError, match=r"a\.txt is a pipe or a device"):
        TextCorpus(tmp_path)
    (tmp_path / "a.txt").unlink()
    (tmp_path / "notes").mkdir()
    (tmp_path / "all").mkdir()
    write(tmp_path / "notes", NOTES)
    (tmp_path / "all" / "link").symlink_to(tmp_path / "notes")
    assert TextCorpus(tmp_path / "all").read(None, 1_000_000)[0] == ALL


def test_records_of_old_macs(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "One."}\r\r{"text": "Two."}\r')
    assert TextCorpus(tmp_path).read(None, 99)[0] == [["One."], ["Two."]]
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "One."}\r{"text": NaN}\r')
    with pytest.raises(ValueError, match=r"a\.jsonl, line 2: the record is not JSON that can be meant: NaN"):
        TextCorpus(tmp_path).read(None, 99)
