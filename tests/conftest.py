"""One arithmetic, one thread and fixed seeds for every test: numbers repeat, and small matrices are faster so."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tools import arithmetic

os.environ.update(arithmetic.PIN)  # before torch is imported, which reads them
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("PYTHONHASHSEED", "0")
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MPLBACKEND", "agg")

import pytest
import torch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

torch.set_num_threads(1)


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
