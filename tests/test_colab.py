"""The cell by which Google Colab gets the book: the same in every notebook, first, and silent anywhere else."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.made_up import code, made_up_notebook
from tools import colab
from tools.notebooks import ROOT, all_notebooks, read

SOME = ROOT / "chapters" / "05_masking.ipynb"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What a cell has run, without running it, and where it went."""
    ran: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: ran.append(command))
    monkeypatch.setattr(os.path, "isdir", lambda folder: not folder.startswith("/content"))
    monkeypatch.setattr(os, "chdir", lambda folder: ran.append(["cd", folder]))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return ran


@pytest.mark.parametrize("path", all_notebooks(), ids=lambda path: path.stem)
def test_every_notebook_begins_with_it(path: Path) -> None:
    first = next(cell for cell in read(path).cells if cell.cell_type == "code")
    assert (first.id, first.source) == (colab.ID, colab.cell(path).source), "python -m tools.colab"
    assert first.outputs == []


@pytest.mark.parametrize("copy", sorted(ROOT.glob("exercises/*/*.ipynb")), ids=lambda path: path.stem)
def test_students_copies_have_it_too(copy: Path) -> None:
    first = next(cell for cell in read(copy).cells if cell.cell_type == "code")
    assert first.source == colab.cell(copy).source, "python -m tools.colab, then make exercises"


def test_it_does_nothing_elsewhere(commands: list[list[str]]) -> None:
    exec(colab.cell(SOME).source, {})
    assert commands == []


def test_it_fetches_and_installs_the_book_and_goes_to_the_notebook(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setattr(colab, "written_address", lambda: "https://github.com/somebody/book")
    exec(colab.cell(SOME).source, {})
    fetched, installed, went = commands
    assert fetched[:2] == ["git", "clone"]
    assert "https://github.com/somebody/book" in fetched
    assert installed[-2:] == ["-e", "/content/book[colab]"]
    assert went == ["cd", "/content/book/chapters"]


def test_it_asks_where_nobody_has_said_the_address(commands: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setattr(colab, "written_address", lambda: "")
    exec(colab.cell(SOME).source, {"input": lambda _: "https://example.org/book"})
    assert "https://example.org/book" in commands[0]


def test_the_students_copy_goes_to_the_exercises() -> None:
    assert '"/content/book/exercises/05_masking"' in colab.cell(ROOT / "solutions/05_masking/05_masking.ipynb").source


def test_cells_after_it_keep_their_outputs_and_are_counted_anew() -> None:
    notebook: Any = made_up_notebook(code("1 + 1"), code("print(2)"))
    before = [cell.get("outputs") for cell in notebook.cells if cell.cell_type == "code"]
    first = colab.cell(SOME)
    once = colab.put(notebook, first)
    cells = [cell for cell in once.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [1, 2, 3]
    assert [cell.outputs for cell in cells[1:]] == before
    assert colab.put(once, first) == once
