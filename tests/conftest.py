"""One arithmetic, one thread and fixed seeds for every test: numbers repeat, and small matrices are faster so."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tools import arithmetic

os.environ.update(arithmetic.PIN)  # before torch is imported, which reads them
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("PYTHONHASHSEED", "0")
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MPLBACKEND", "agg")

import hypothesis
import pytest
import torch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

torch.set_num_threads(1)
# The same examples everywhere, and no test fails because its machine is busy.
hypothesis.settings.register_profile(
    "book", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("book")


LONGEST = ("test_notebooks.py", "test_offline.py", "test_exercises.py", "test_browser_lab.py")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module's tests together (they share fixtures), but spread notebooks; begin with what takes longest."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))
    items.sort(key=lambda item: not item.path.name.endswith(LONGEST))


def group(item: pytest.Item) -> str:
    """Name what one worker runs: a module, or its tests of one notebook."""
    path = item.callspec.params.get("path") if hasattr(item, "callspec") else None
    return f"{item.path.stem}:{path.stem}" if isinstance(path, Path) else item.path.stem


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so where stored digits cannot be expected."""
    if not arithmetic.is_stored_one():
        terminalreporter.write_line(
            "This machine rounds in its own way: notebooks are compared within the tolerances that their cells declare."
        )


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One browser for all tests that need one; they skip where there is none."""
    from browsing import chromium

    with chromium() as started:
        yield started
