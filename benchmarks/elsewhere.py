"""Do the chapters say the same on other machines and with other seeds?

Each chapter is run under the arithmetics of tools/arithmetic.py, and under the stored one with other random weights
(what `torch.manual_seed` is given is shifted). Counted are the cells whose outputs differ from the stored ones beyond
the last printed places, those that differ by more than they declare, and the cells that stop with an error: the claims
of the prose are assertions in hidden cells, so a claim that does not hold is one of these. With other weights trained
digits differ, of course; only the errors count there.

    PYTHONPATH=. python benchmarks/elsewhere.py --write elsewhere.md          # all chapters
    PYTHONPATH=. python benchmarks/elsewhere.py chapters/05_masking.ipynb
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
import torch
from common import circumstances, store, table
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.notebook_checks import IGNORE_OUTPUT
from tests.strict_nbval import comparable, declared_tolerance, picture_difference, pictures, same_text
from tools.arithmetic import ARITHMETICS, PINNED
from tools.notebooks import CELL_TIMEOUT, ROOT, kernel_environment, normalise, read

SHIFTS = (1_000, 2_000, 3_000, 4_000)  # with the stored one five seeds
OTHER_SEED = """import torch as _torch
_torch.manual_seed = lambda seed, seeded=_torch.manual_seed: seeded(int(seed) + {shift})
"""


class Setting(NamedTuple):
    """An arithmetic, and by how much the seeds of the random weights are shifted."""

    rounding: str = PINNED
    shift: int = 0

    def __str__(self) -> str:
        """Name it as the table does."""
        return f"other weights {self.shift // 1000}" if self.shift else self.rounding


SETTINGS = [*(Setting(name) for name in ARITHMETICS), *(Setting(shift=shift) for shift in SHIFTS)]


class Found(NamedTuple):
    """What became of a chapter: how many cells differ, how many by more than they declare, and which ones failed."""

    differ: int
    beyond: int
    failed: list[str]


def run(path: Path, setting: Setting) -> Found:
    """Run a chapter to its end, whatever fails on the way, compare it with what is stored, and print what failed."""
    stored = read(path)
    fresh = nbformat.from_dict(stored)
    threads = kernel_environment(rounding=setting.rounding)["OMP_NUM_THREADS"]
    for cell in fresh.cells:
        cell.source = cell.source.replace("set_num_threads(1)", f"set_num_threads({threads})")
    if setting.shift:
        first = nbformat.v4.new_code_cell(OTHER_SEED.format(shift=setting.shift))
        fresh.cells.insert(0, first)
    client = NotebookClient(
        fresh,
        kernel_name="python3",
        timeout=4 * CELL_TIMEOUT,
        allow_errors=True,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env=kernel_environment(rounding=setting.rounding))
    normalise(fresh)
    cells = fresh.cells[1:] if setting.shift else fresh.cells
    pairs = [(old, new) for old, new in zip(stored.cells, cells, strict=True) if old.cell_type == "code"]
    pairs = [pair for pair in pairs if IGNORE_OUTPUT not in pair[0].metadata.get("tags", [])]  # clocks
    tolerances = [declared_tolerance(old, elsewhere=True) for old, _ in pairs]
    found = Found(
        differ=sum(not same(*pair, 0.0) for pair in pairs),
        beyond=sum(not same(*pair, tolerance) for pair, tolerance in zip(pairs, tolerances, strict=True)),
        failed=[
            f"{message} ({new.source.splitlines()[0]} ...)"
            for old, new in pairs
            for message in errors(new)
            if message not in errors(old)
        ],
    )
    counts = f"{found.differ} cells differ, {found.beyond} beyond what they declare"
    print(f"{path.stem}, {setting}: {counts}", *(found.failed or ["every claim holds"]), sep="\n  ", flush=True)
    return found


def errors(cell: NotebookNode) -> list[str]:
    """Give the errors that a cell ended in: some do so on purpose."""
    return [f"{out.ename}: {out.evalue}" for out in cell.outputs if out.output_type == "error"]


def same(old: NotebookNode, new: NotebookNode, tolerance: float) -> bool:
    """Say whether a reader would take two runs of a cell for the same."""
    texts = ["\n".join(map(text_of, cell.outputs)) for cell in (old, new)]
    figures = [list(pictures(cell.outputs)) for cell in (old, new)]
    return (
        same_text(*texts, tolerance)
        and len(figures[0]) == len(figures[1])
        and all(picture_difference(*pair, tolerance) is None for pair in zip(*figures, strict=True))
    )


def text_of(output: NotebookNode) -> str:
    """Give what an output says in words."""
    data = output.get("data", {})
    text = output.get("text", "") or data.get("text/html", "") or data.get("text/plain", "")
    return comparable("".join(text))


def rows(paths: list[Path], settings: list[Setting], jobs: int) -> Iterator[list[str]]:
    """Give a row for each setting, with a column for each chapter."""
    with ThreadPoolExecutor(jobs) as pool:
        found = {(s, p): pool.submit(run, p, s) for s in settings for p in paths}
        for setting in settings:
            cells = []
            for path in paths:
                differ, beyond, failed = found[setting, path].result()
                cells.append(f"- / - / {len(failed)}" if setting.shift else f"{differ} / {beyond} / {len(failed)}")
            yield [str(setting), *cells]


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, default=sorted((ROOT / "chapters").glob("*.ipynb")))
    parser.add_argument("--settings", nargs="*", metavar="NAME", help="some of the rows (default all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="notebooks at a time")
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    settings = [one for one in SETTINGS if not asked.settings or str(one) in asked.settings]
    parts = [
        "# The chapters elsewhere",
        circumstances(torch.device("cpu")),
        "Cells that differ from the stored run / that differ by more than they declare / that fail.",
        table(["setting", *(path.stem[:2] for path in asked.paths)], list(rows(asked.paths, settings, asked.jobs))),
    ]
    print("\n\n".join(parts))
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
