"""The first cell of code of every notebook: on Google Colab it fetches the book, anywhere else it does nothing.

    python -m tools.colab     # writes it into chapters/ and solutions/; then `make exercises`

Colab opens a notebook alone, without the folder that it lies in. The book's address is `Repository` in pyproject.toml's
`[project.urls]`; as long as nobody has written it there, the cell asks the reader for it.
"""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.notebooks import ROOT, all_notebooks, read, write
from tools.website import written_address

ID = "colab"
CELL = """\
# Google Colab opens a notebook without its folder: there, this cell fetches the book. Elsewhere it does nothing.
import os
import subprocess
import sys

if "google.colab" in sys.modules:
    if not os.path.isdir("/content/book"):
        address = {address}
        subprocess.run(["git", "clone", "--quiet", "--depth=1", address, "/content/book"], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-e", "/content/book[colab]"], check=True)
    sys.path.insert(0, "/content/book")  # a running kernel does not see what has just been installed
    os.chdir("/content/book/{folder}")"""


ASK = 'input("Address of the book\'s repository, https://...: ")'
GIVEN = {"grade": False, "grade_id": ID, "locked": True, "schema_version": 3, "solution": False, "task": False}


def cell(path: Path) -> NotebookNode:
    """The cell for the notebook at `path`; one with model answers gives its cell to the students' copy."""
    folder = path.resolve().relative_to(ROOT).parent.as_posix()
    address = f'"{written_address()}"' if written_address() else ASK
    source = CELL.format(address=address, folder=folder.replace("solutions", "exercises"))
    metadata = {"jupyter": {"source_hidden": True}, "tags": ["remove-cell"]}  # not on the website nor on paper
    if folder.startswith("solutions"):
        metadata["nbgrader"] = GIVEN  # a student's change to it is undone, as in every given cell
    return nbformat.v4.new_code_cell(source, id=ID, metadata=metadata)


def put(notebook: NotebookNode, first: NotebookNode) -> NotebookNode:
    """The notebook with this cell before its other cells of code, which keep their outputs and are counted anew."""
    cells = [cell for cell in notebook.cells if cell.get("id") != first.id]
    cells.insert(next(at for at, cell in enumerate(cells) if cell.cell_type == "code"), first)
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    return NotebookNode(notebook | {"cells": cells})


def main() -> None:
    """Write the cell into every notebook."""
    for path in all_notebooks():
        if write(put(read(path), cell(path)), path):
            print(f"{path.relative_to(ROOT)}: stored")


if __name__ == "__main__":
    main()
