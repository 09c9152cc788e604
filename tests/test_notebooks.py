"""Every stored notebook is in order, says what it says when it is run again without a network, and stays in budget."""

from pathlib import Path

import pytest

from tests.notebook_checks import CHECKS, Check
from tests.strict_nbval import strict_run
from tools.arithmetic import ARITHMETICS, PINNED
from tools.notebooks import MAX_SECONDS, ROOT, all_notebooks, read, read_times

NOTEBOOKS = all_notebooks()
every_notebook = pytest.mark.parametrize(
    "path", NOTEBOOKS, ids=[path.relative_to(ROOT).as_posix() for path in NOTEBOOKS]
)


@every_notebook
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_notebook_is_in_order(path: Path, check: Check) -> None:
    assert list(check(read(path))) == []


@every_notebook
def test_outputs_repeat_without_network(path: Path, tmp_path: Path) -> None:
    # A notebook that never speaks of transformers must not notice that it is missing either.
    # The others are run without it in tests/test_offline.py, where their outputs may differ.
    hidden = "" if mentions_transformers(path) else "transformers"
    assert strict_run([path], tmp_path / "report.xml", hidden_modules=hidden) == []


@pytest.mark.elsewhere
@pytest.mark.parametrize("rounding", [name for name in ARITHMETICS if name != PINNED])
@every_notebook
def test_only_digits_change_elsewhere(path: Path, rounding: str, tmp_path: Path) -> None:
    assert strict_run([path], tmp_path / "report.xml", rounding=rounding) == []


def mentions_transformers(path: Path) -> bool:
    """Whether a cell of the notebook uses Hugging Face's library."""
    return any("transformers" in cell.source for cell in read(path).cells if cell.cell_type == "code")


@every_notebook
def test_run_time_is_in_the_table_and_in_budget(path: Path) -> None:
    row = read_times()[path.relative_to(ROOT).as_posix()]
    assert row.seconds <= MAX_SECONDS


def test_table_of_times_names_every_notebook_and_no_other() -> None:
    assert sorted(read_times()) == [path.relative_to(ROOT).as_posix() for path in NOTEBOOKS]
