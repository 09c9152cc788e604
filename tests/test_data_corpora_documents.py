"""Files become documents: formats by hand, and the same documents from every offset."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmini.data.corpora import documents, text_files
from bertmini.data.corpora.documents import jsonl_documents, plain_documents, record_document
from bertmini.data.corpora.markdown import markdown_documents
from bertmini.data.corpora.text_files import Document

Reader = Callable[[Path, int], Iterator[tuple[Document, int]]]


def read(reader: Reader, folder: Path, text: str, offset: int = 0) -> list[Document]:
    path = folder / "file"
    path.write_bytes(text.encode())
    return [document for document, _ in reader(path, offset)]


def test_a_blank_line_ends_a_document_of_two_sentences(tmp_path: Path) -> None:
    text = "The mill stands still. Nobody\nturns the wheel.\n\n\nA new day. It\nrains.\n"
    assert read(plain_documents, tmp_path, text) == [
        ["The mill stands still.", "Nobody turns the wheel."],
        ["A new day.", "It rains."],
    ]


def test_a_single_sentence_goes_on_with_the_next_paragraph(tmp_path: Path) -> None:
    text = "Chapter one\n\nThe mill stood still. Nobody came.\n\nA last line."
    assert read(plain_documents, tmp_path, text) == [
        ["Chapter one", "The mill stood still.", "Nobody came."],
        ["A last line."],
    ]


def test_a_sentence_per_line(tmp_path: Path) -> None:
    text = "the mill stands still .\nnobody came .\nwhy ?\n\nit rains .\nit snows .\n"
    assert read(plain_documents, tmp_path, text) == [
        ["the mill stands still .", "nobody came .", "why ?"],
        ["it rains .", "it snows ."],
    ]


def test_wikitext_keeps_an_article_together(tmp_path: Path) -> None:
    text = (
        " \n = Mill Lane = \n \n The lane is long . It is old . \n \n = = Houses = = \n \n"
        " Three stand there . \n Two fell . \n"
        " \n = Oak Hill = \n \n The hill is low . Oaks grow on it . \n"
    )
    assert read(plain_documents, tmp_path, text) == [
        ["The lane is long .", "It is old .", "Three stand there .", "Two fell ."],
        ["The hill is low .", "Oaks grow on it ."],
    ]


MARKDOWN = """<!-- a comment
over lines -->
# The mill

The **mill** stands [by the river](https://example.org/river), and `turn()` turns
its <b>wheel</b>. ![a picture](mill.png) It is *old*.

| part | age |
|---|---|
| wheel | 90 |

```python
print("no prose. Not this.")
# no heading
```

## Floods

> The water rose. Nobody slept.

- First the cellar filled.
- Then the [yard][1] did.

    indented_code = 1

1. It fell again.

[1]: https://example.org

Setext title
============
~~~
still code
~~~
The end came. It was dry.
"""


def test_markdown_keeps_only_prose(tmp_path: Path) -> None:
    assert read(markdown_documents, tmp_path, MARKDOWN) == [
        ["The mill stands by the river, and turn() turns its wheel.", "It is old."],
        [
            "The water rose.",
            "Nobody slept.",
            "First the cellar filled.",
            "Then the yard did.",
            "indented_code = 1",  # by CommonMark it belongs to the item above
            "It fell again.",
        ],
        ["The end came.", "It was dry."],
    ]


def test_jsonl_records(tmp_path: Path) -> None:
    rows = [
        {"text": "One here. Two here.\nThree."},
        {"id": 7, "sentences": ["a  b", " ", "c"], "text": "not this"},
        {"text": "  "},
        {"sentences": []},
    ]
    text = "\ufeff" + "\n\n".join(map(json.dumps, rows)) + "\n"
    assert read(jsonl_documents, tmp_path, text) == [["One here.", "Two here.", "Three."], ["a b", "c"]]


def test_a_column_of_ones_own() -> None:
    assert record_document({"review": "Good. Fine.", "text": "x"}, "review") == ["Good.", "Fine."]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{'a': 1}", r"file, line 3: the record is not JSON \("),
        ("[1]", "file, line 3: the record holds a list: expected a JSON object"),
        ('{"title": "a", "id": 3}', "file, line 3: expected .* 'text or sentences'; the record has only 'title', 'id'"),
        ('{"text": 5}', "file, line 3: expected a text or a list of sentences .* the record has int there"),
        ('{"sentences": ["a", 5]}', "file, line 3: expected .* has list there"),
        ('{"text": "a \\ud800"}', "file, line 3: the record is not JSON that can be meant: half a surrogate pair"),
        ("[" * 100_000, "file, line 3: the record is not JSON that can be meant: its brackets"),
    ],
)
def test_a_bad_record_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    good = '{"text": "Fine."}\n'
    with pytest.raises(ValueError, match=message):
        read(jsonl_documents, tmp_path, good + "\n" + line + "\n" + good)
    with pytest.raises(ValueError, match=message):
        read(jsonl_documents, tmp_path, good + "\n" + line + "\n" + good, offset=len(good))


def test_a_record_too_long_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "RECORD_BYTES", 64)
    assert read(jsonl_documents, tmp_path, json.dumps({"text": "a" * 50})) == [["a" * 50]]
    with pytest.raises(ValueError, match="line 1: the record has more than 64 bytes: give each document a line"):
        read(jsonl_documents, tmp_path, json.dumps({"text": "a" * 90}))


def test_a_document_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "DOCUMENT_CHARS", 100)
    monkeypatch.setattr(text_files, "LINE_BYTES", 64)
    text = " ".join(f"Sentence {number} stands here." for number in range(50))
    found = read(plain_documents, tmp_path, text)
    assert [sentence for document in found for sentence in document] == [
        f"Sentence {n} stands here." for n in range(50)
    ]
    assert all(sum(map(len, document)) <= 164 for document in found)


LINES = (
    "The cat sat. It slept.|A line|that goes on.|short .|= Title =|# Head|- item one. Two.|```|<!-- x -->|> Said. So."
)
lines = st.sampled_from(["", *LINES.split("|"), "猫が寝る。犬も。", "One. " * 30])


@settings(max_examples=200)
@given(st.lists(lines, max_size=30).map("\n".join), st.sampled_from([plain_documents, markdown_documents]))
def test_reading_goes_on_from_every_offset(tmp_path_factory: pytest.TempPathFactory, text: str, reader: Reader) -> None:
    path = tmp_path_factory.mktemp("documents") / "file"
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "DOCUMENT_CHARS", 90)
        patch.setattr(text_files, "LINE_BYTES", 70)
        whole = list(reader(path, 0))
        for number, (document, offset) in enumerate(whole):
            assert document
            assert list(reader(path, offset)) == whole[number + 1 :]
