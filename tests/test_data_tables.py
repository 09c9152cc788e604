"""Tables of labelled texts: what is read, and every mistake with its file and line."""

import os
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
    "a text twice": ("a.tsv", "text\tlabel\ttext\na\tb\tc\n", "line 1 names the column 'text' twice"),
    "a label twice": ("a.tsv", "text\tlabel \tlabel\na\tb\tc\n", "line 1 names the column 'label' twice"),
    "a key twice": (
        "a.jsonl",
        '{"text": "a", "label": 1, "text": "b"}\n',
        "line 1 is not JSON that can be meant: the name 'text'",
    ),
    "NaN for a label": (
        "a.jsonl",
        '{"text": "a", "label": NaN}\n',
        "line 1 is not JSON that can be meant: NaN stands for",
    ),
    "NaN for a text": (
        "a.jsonl",
        '{"text": NaN, "label": 1}\n',
        "line 1 is not JSON that can be meant: NaN stands for",
    ),
    "beyond bounds": (
        "a.jsonl",
        '{"text": "a", "label": 1e400}\n',
        "line 1 is not JSON that can be meant: the number 1e400",
    ),
    "5,000 digits": (
        "a.jsonl",
        '{"text": "a", "label": ' + "9" * 5_000 + "}\n",
        "line 1 is not JSON that can be meant: a number of 5000",
    ),
    "deep": ("a.jsonl", '{"text": ' + "[" * 100_000, "line 1 is not JSON that can be meant: its brackets"),
    "half a pair": (
        "a.jsonl",
        '{"text": "\\ud800", "label": 1}\n',
        "line 1 is not JSON that can be meant: half a surrogate",
    ),
    "nan in words": ("a.tsv", "text\tlabel\na\tnan\n", "line 2: label ('label') is 'nan', a missing value"),
    "<NA> for a text": ("a.tsv", "text\tlabel\n<NA>\tx\n", "line 2: text ('text') is '<NA>', a missing value"),
    "nothing to be seen": ("a.tsv", "text\tlabel\na\t\u200b\n", "line 2: label ('label') is empty"),
    "the heading again": (
        "a.tsv",
        "text\tlabel\na\tx\ntext\tlabel\n",
        "line 3 is the heading again: were files joined?",
    ),
    "the heading as JSON": ("a.jsonl", '{"text": "text", "label": "label"}\n', "line 1 is the heading again"),
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("yes", "yes\u200b"),
        ("yes", "\ufeffyes"),
        ("yes", "y\u00ades"),
        ("so so", "so\u00a0so"),
        ("so so", "so  so"),
        ("1", "1.0"),
        ("-2", "-2.00"),
        ("A1", "\uff21\uff11"),
        ("spam", "sp\u0430m"),  # the Cyrillic letter
        ("non-fiction", "non\u2011fiction"),
    ],
)
def test_labels_that_look_alike_are_refused_with_both_lines(tmp_path: Path, one: str, other: str) -> None:
    path = written(tmp_path, "a.tsv", f"text\tlabel\na\t{one}\nb\tzz\nc\t{other}\n")
    with pytest.raises(ValueError, match=r"a\.tsv, line 4: the label .* looks like .* of line 2: write one"):
        read_labelled(path)


def test_labels_that_can_be_told_apart_are_kept(tmp_path: Path) -> None:
    labels = ["yes", "Yes", "none", "null", "NA", "1", "1.5", "10", "01", "naïve", "naive", "да", "ja"]
    path = written(tmp_path, "a.tsv", "text\tlabel\n" + "".join(f"some text\t{label}\n" for label in labels))
    assert [example.label for example in read_labelled(path)] == labels


def test_a_column_that_nobody_asked_for_may_stand_twice(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", "note\ttext\tnote\tlabel\nx\ta\ty\tb\n")
    assert read_labelled(path) == [LabelledText("a", None, "b")]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_all_line_ends_end_lines(tmp_path: Path, line_end: str) -> None:
    table = written(tmp_path, "a.tsv", line_end.join(["text\tlabel", "one\tx", "two\ty", ""]))
    records = written(
        tmp_path, "a.jsonl", line_end.join(['{"text": "one", "label": "x"}', '{"text": "two", "label": "y"}'])
    )
    assert (
        read_labelled(table)
        == read_labelled(records)
        == [LabelledText("one", None, "x"), LabelledText("two", None, "y")]
    )


def test_a_label_of_thousands_of_digits_is_a_name() -> None:
    long = "9" * 5_000
    assert label_names([LabelledText("a", None, long), LabelledText("b", None, "10")]) == ("10", long)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tsv")
    with pytest.raises(ValueError, match=r"a\.tsv is a pipe or a device: expected a file"):
        read_labelled(tmp_path / "a.tsv")
