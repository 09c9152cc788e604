"""CoNLL files: what is read, and what is refused by file and line."""

import os
from pathlib import Path

import pytest

from bertmini.data.conll import read_conll
from bertmini.data.tagging import TaggedWords


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "a.conll"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_sentences_end_at_empty_lines_and_at_the_end(tmp_path: Path) -> None:
    path = written(tmp_path, "Ada\tB-PER\nsleeps\tO\n\t\n\n\nLee\tB-PER\n")
    assert read_conll(path) == [TaggedWords(("Ada", "sleeps"), ("B-PER", "O")), TaggedWords(("Lee",), ("B-PER",))]


def test_four_columns_spaces_docstart_and_iob1_are_the_shared_tasks(tmp_path: Path) -> None:
    path = written(tmp_path, "-DOCSTART- -X- O O\n\nAda NNP I-NP I-PER\nByron NNP I-NP I-PER\nLee NNP I-NP B-PER\n")
    assert read_conll(path) == [TaggedWords(("Ada", "Byron", "Lee"), ("B-PER", "I-PER", "B-PER"))]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_all_line_ends_end_lines_and_a_bom_is_no_word(tmp_path: Path, line_end: str) -> None:
    path = written(tmp_path, "\ufeff" + line_end.join(["Ada\tB-PER", "", "nan\tO", ""]))
    assert read_conll(path) == [TaggedWords(("Ada",), ("B-PER",)), TaggedWords(("nan",), ("O",))]


def test_a_word_may_have_a_space_where_tabs_part_columns(tmp_path: Path) -> None:
    assert read_conll(written(tmp_path, "New York\tB-LOC\n")) == [TaggedWords(("New York",), ("B-LOC",))]


MISTAKES = {
    "no words": ("\n\n", "holds no words"),
    "one column": ("Ada B-PER\nsleeps\n", "line 2 has 1 columns, the first has 2"),
    "never a tag": ("Ada\n", "line 1 has 1 columns, expected a word and its tag"),
    "another number": ("Ada\tx\tB-PER\nsleeps\tO\n", "line 2 has 2 columns, the first has 3"),
    "no BIO": ("Ada\tB-PER\nsleeps\tS-PER\n", "line 2: the tag is 'S-PER'; expected O, or B- or I- before a kind"),
    "no kind": ("Ada\tB-\n", "line 1: the tag is 'B-'"),
    "small letters": ("Ada\tb-PER\n", "line 1: the tag is 'b-PER'"),
    "a missing value": ("Ada\tNaN\n", "line 1: the tag is 'NaN'"),
    "no tag": ("Ada\t\n", "line 1: the tag is ''"),
    "no word": ("\tO\n", "line 1: the word is empty"),
    "alike": ("Ada\tB-PER\nLee\tB-P\u0415R\n", "line 2: the kind 'P\\u0415R' looks like 'PER' of line 1"),
    "latin-1": ("Caf\xe9\tO\n".encode("latin-1"), "is not UTF-8 text"),
    "binary": (b"\0\tO\n", "is not a text file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake: str, tmp_path: Path) -> None:
    content, message = MISTAKES[mistake]
    path = written(tmp_path, content)
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the message is compared below)
        read_conll(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_pipe_is_not_waited_for_and_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe is a pipe or a device: expected a file"):
        read_conll(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_conll(tmp_path / "nowhere")
