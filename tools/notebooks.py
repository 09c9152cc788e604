"""Run notebooks from top to bottom and store them, byte for byte the same each time.

    python -m tools.notebooks                                # all of chapters/ and solutions/
    python -m tools.notebooks chapters/03_attention.ipynb    # one

What is stored depends on the cells alone: one arithmetic (tools/arithmetic.py), one thread, a fixed hash seed, no
progress bars, no network, no timestamps, metadata from an allow-list, tracebacks cut to their last line. Seconds are
the one result that no two runs share, so they are kept out of the notebooks, in `chapters/TIMES.md`, whose row is
rewritten only when the notebook has changed or has become too slow. A notebook that fails is not stored.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tools import arithmetic

ROOT = Path(__file__).resolve().parent.parent
TIMES = Path("chapters/TIMES.md")
CELL_TIMEOUT = 300  # seconds, on a machine that is busy with other things
MAX_SECONDS = 90  # for a whole notebook
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {"bertmini", "jupyter", "mystnb", "nbgrader", "tags"}
PICTURE_METADATA = {"height", "width"}


def all_notebooks() -> list[Path]:
    """The notebooks that the project stores with outputs: the chapters and the model answers."""
    return sorted([*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("solutions/*/*.ipynb")])


def kernel_environment(
    *, hash_seed: int = 0, hidden_modules: str = "", rounding: str = arithmetic.PINNED
) -> dict[str, str]:
    """The environment in which a notebook's kernel starts.

    Notebooks are stored with hash seed 0 and checked with another: printing a set in its own order is found out.
    `rounding` is one of `arithmetic.ARITHMETICS`.
    """
    search_path = [str(ROOT / "tools" / "offline"), os.environ.get("PYTHONPATH", "")]
    return arithmetic.under(rounding, os.environ) | {
        "HF_HUB_OFFLINE": "1",
        "HIDDEN_MODULES": hidden_modules,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": os.pathsep.join(part for part in search_path if part),
        "TQDM_DISABLE": "1",
    }


def read(path: Path) -> NotebookNode:
    """The notebook at `path`, in the current format."""
    return nbformat.read(path, as_version=4)


def write(notebook: NotebookNode, path: Path) -> bool:
    """Store `notebook` at `path` unless the same bytes are there already; tell whether it was stored."""
    content = nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return False
    path.write_text(content, encoding="utf-8", newline="\n")
    return True


def run(notebook: NotebookNode, folder: Path, *, hash_seed: int = 0, hidden_modules: str = "") -> NotebookNode:
    """A copy of `notebook`, run in `folder` with a fresh kernel and normalised.

    Raises `nbclient.exceptions.CellExecutionError` at the first cell that fails without the tag `raises-exception`.
    """
    notebook = nbformat.from_dict(notebook)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=kernel_environment(hash_seed=hash_seed, hidden_modules=hidden_modules))
    normalise(notebook)
    return notebook


def normalise(notebook: NotebookNode) -> None:
    """Drop, in place, whatever depends on the machine or on the editor and not on the cells."""
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        cell.metadata = _only(cell.metadata, CELL_METADATA)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = [f"{output.ename}: {output.evalue}"]  # the frames name this machine's folders
            if "metadata" in output:
                pictures = {
                    kind: _only(of_kind, PICTURE_METADATA) for kind, of_kind in output.metadata.items() if of_kind
                }
                output.metadata = nbformat.from_dict({kind: kept for kind, kept in pictures.items() if kept})


def _only(mapping: Any, keys: set[str]) -> NotebookNode:
    """The part of a mapping whose keys are allowed; nothing of what is no mapping."""
    return nbformat.from_dict(
        {key: mapping[key] for key in mapping if key in keys} if isinstance(mapping, dict) else {}
    )


class Measure(NamedTuple):
    """One row of the table of times."""

    seconds: int
    code_cells: int
    figures: int
    words: int
    kilobytes: int


def measure(notebook: NotebookNode, seconds: float) -> Measure:
    """What the table keeps of a notebook: its run time and its size."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    data = [output.get("data", {}) for cell in code for output in cell.outputs]
    return Measure(
        seconds=max(1, round(seconds)),
        code_cells=len(code),
        figures=sum("image/png" in bundle or "<img" in bundle.get("text/html", "") for bundle in data),
        words=sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown"),
        kilobytes=round(len(nbformat.writes(notebook, version=4).encode()) / 1000),
    )


HEADER = """# How long each notebook takes, and how big it is

Written by `python -m tools.notebooks`: one thread of a small machine, no GPU, a fresh kernel's start included.

| notebook | seconds | code cells | figures | words | kB |
|---|---:|---:|---:|---:|---:|
"""


def read_times(root: Path = ROOT) -> dict[str, Measure]:
    """The table of times, by the notebook's path from the project's root."""
    if not (root / TIMES).exists():
        return {}
    rows = [line.strip("| ").split(" | ") for line in (root / TIMES).read_text(encoding="utf-8").splitlines()]
    return {row[0]: Measure(*map(int, row[1:])) for row in rows if row[0].endswith(".ipynb")}


def write_times(times: dict[str, Measure], root: Path = ROOT) -> None:
    """Store the table, without the rows of notebooks that are gone."""
    kept = {name: row for name, row in sorted(times.items()) if (root / name).exists()}
    rows = "".join(f"| {' | '.join([name, *map(str, row)])} |\n" for name, row in kept.items())
    (root / TIMES).parent.mkdir(exist_ok=True)
    (root / TIMES).write_text(HEADER + rows, encoding="utf-8", newline="\n")


def store(paths: Iterable[Path], root: Path = ROOT) -> int:
    """Run and store each notebook, say what happened to it, and return how many failed."""
    failed = 0
    for path in paths:
        name = path.resolve().relative_to(root).as_posix()
        start = time.perf_counter()
        try:
            notebook = run(read(path), path.parent)
        except CellExecutionError as error:
            print(f"{name}: FAILED, not stored\n{error}", file=sys.stderr)
            failed += 1
            continue
        row = measure(notebook, time.perf_counter() - start)
        changed, times = write(notebook, path), read_times(root)
        if changed or name not in times or max(row.seconds, times[name].seconds) > MAX_SECONDS:
            write_times(times | {name: row}, root)
        print(f"{name}: {'stored' if changed else 'unchanged'}, {row.seconds} s, {row.kilobytes} kB")
    return failed


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description="Run notebooks and store them.")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (all of chapters/ and solutions/ if none)")
    return min(1, store(parser.parse_args(arguments).paths or all_notebooks()))


if __name__ == "__main__":
    raise SystemExit(main())
