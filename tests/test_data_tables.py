"""Tables of labelled texts: what is read, and every mistake with its file and line."""

from pathlib import Path

import pytest

from bertmini.data.tables import LabelledText, label_names, read_labelled


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_tsv_by_name_in_any_order(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.tsv", '\ufefflabel\tnote\ttext\r\ngood\tx\tThe pie was warm.\r\n\r\nbad\ty\t"Cold" soup\r\n'
    )
    assert read_labelled(path) == [
        LabelledText("The pie was warm.", None, "good"),
        LabelledText('"Cold" soup', None, "bad"),
    ]


def test_tsv_by_number_has_no_heading(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", "the pie was warm\t1\nthe soup was cold\t0")
    assert read_labelled(path, text="1", label="2") == [
        LabelledText("the pie was warm", None, "1"),
        LabelledText("the soup was cold", None, "0"),
    ]


def test_pairs(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", "text\tquestion\tlabel\nIt rained.\tWas it dry?\tno\n")
    assert read_labelled(path, pair="question") == [LabelledText("It rained.", "Was it dry?", "no")]


def test_jsonl_with_numbers_and_a_very_long_line(tmp_path: Path) -> None:
    long = "word " * 30_000
    path = written(tmp_path, "a.jsonl", f'{{"review": "{long}", "stars": 5}}\n{{"review": "meh", "stars": 2.5}}\n')
    assert read_labelled(path, text="review", label="stars") == [
        LabelledText(long, None, "5"),
        LabelledText("meh", None, "2.5"),
    ]


MISTAKES = {
    "no such column": ("a.tsv", "sentence\tlabel\nhi\t1\n", "no column 'text'; there are 'sentence', 'label'"),
    "no heading": (
        "a.tsv",
        f"{'so ' * 20}good\t1\nhi\t0\n",
        "so so ...', '1'; where the first line is no heading, give",
    ),
    "ragged": ("a.tsv", "text\tlabel\nhi\t1\nho\n", "line 3 has 1 fields between tabs, the first has 2"),
    "empty text": ("a.tsv", "text\tlabel\nhi\t1\n \t0\n", "line 3: text ('text') is empty"),
    "empty label": ("a.tsv", "text\tlabel\nhi\t\n", "line 2: label ('label') is empty"),
    "no rows": ("a.tsv", "text\tlabel\n", "holds no examples"),
    "an empty file": ("a.tsv", "", "holds no examples"),
    "no json": ("a.jsonl", '{"text": "hi", "label": 1}\nhello\n', "line 2 is not JSON"),
    "a json list": ("a.jsonl", "[1]\n", "line 1 holds a list: expected a JSON object"),
    "no such key": (
        "a.jsonl",
        '{"text": "hi", "label": 1}\n{"text": "ho"}\n',
        "line 2 has no 'label'; there are 'text'",
    ),
    "null": ("a.jsonl", '{"text": null, "label": 1}\n', "line 1: text ('text') is null: expected text"),
    "a list for a text": ("a.jsonl", '{"text": ["hi"], "label": 1}\n', 'is ["hi"]: expected text'),
    "another ending": ("a.csv", "text,label\n", "ends in '.csv': expected .tsv or .jsonl"),
    "no ending": ("table", "text\tlabel\n", "ends in 'nothing': expected .tsv or .jsonl"),
    "latin-1": ("a.tsv", "text\tlabel\ncafé\t1\n".encode("latin-1"), "is not UTF-8 text"),
    "binary": ("a.tsv", b"text\tlabel\n\0\t1\n", "is not a text file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake: str, tmp_path: Path) -> None:
    name, content, message = MISTAKES[mistake]
    path = written(tmp_path, name, content)
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the message is compared below)
        read_labelled(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_number_beyond_the_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", "hi\t1\n")
    with pytest.raises(ValueError, match=r"no column '3'; there are '1', '2'$"):
        read_labelled(path, text="1", label="3")


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.tsv"):
        read_labelled(tmp_path / "nowhere.tsv")


def examples(*labels: str) -> list[LabelledText]:
    return [LabelledText("hi", None, label) for label in labels]


def test_label_names_are_sorted_as_what_they_are() -> None:
    assert label_names(examples("10", "9", "-1", "9")) == ("-1", "9", "10")
    assert label_names(examples("10", "9", "ten")) == ("10", "9", "ten")


@pytest.mark.parametrize(("labels", "found"), [((), "none"), (("good", "good"), "only 'good'")])
def test_one_class_is_too_few(labels: tuple[str, ...], found: str) -> None:
    with pytest.raises(ValueError, match=f"two classes, but among {len(labels)} examples there is {found}"):
        label_names(examples(*labels))
