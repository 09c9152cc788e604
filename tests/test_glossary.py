"""Every term that a chapter puts in bold is in GLOSSARY.md, with that chapter."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.notebooks import ROOT, read

CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
HEADER = ["term", "what it is", "chapter", "Chinese"]


def terms_in(markdown: str) -> Iterator[str]:
    """What is in bold and is no signpost ("**Predict first.**") and no number of a list."""
    for bold in re.findall(r"\*\*(.+?)\*\*", re.sub(r"```.*?```", "", markdown, flags=re.DOTALL), flags=re.DOTALL):
        if not re.search(r"[.:?!]$|^\d|^[\"“]", bold):
            yield " ".join(bold.split())


def read_glossary() -> list[list[str]]:
    lines = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert rows[0] == HEADER
    return rows[2:]


def test_signposts_are_no_terms() -> None:
    text = "**Predict first.** A **key** meets a\n**query\nvector**. **1.** **The question: what?** ```**no**```"
    assert list(terms_in(text)) == ["key", "query vector"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_bold_term_is_in_the_glossary(path: Path) -> None:
    number = path.stem[:2]
    cells = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    known = {term.lower() for term, _, chapters, _ in read_glossary() if number in chapters.split(", ")}
    assert {term.lower() for cell in cells for term in terms_in(cell)} - known == set()


def test_rows_are_whole_in_order_and_say_something_once() -> None:
    rows = read_glossary()
    assert [len(row) for row in rows] == [len(HEADER)] * len(rows)
    assert all(all(row) for row in rows)
    assert [row[0].lower() for row in rows] == sorted({row[0].lower() for row in rows})
    assert all(re.search(r"[\u4e00-\u9fff]", row[3]) for row in rows)


def test_a_term_is_in_bold_in_the_chapters_that_its_row_names() -> None:
    bold = {
        path.stem[:2]: {term.lower() for cell in read(path).cells for term in terms_in(cell.source)}
        for path in CHAPTERS
    }
    wrong = [
        (term, number)
        for term, _, numbers, _ in read_glossary()
        for number in numbers.split(", ")
        if term.lower() not in bold[number]
    ]
    assert wrong == []
