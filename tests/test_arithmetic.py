"""The stored run has one arithmetic, in every process that it starts; nothing else has it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests import conftest
from tests.made_up import code, made_up_notebook, tolerant
from tests.strict_nbval import strict_run
from tools import arithmetic
from tools.arithmetic import ARITHMETICS, PIN, STORED
from tools.notebooks import ROOT, kernel_environment, run, write

SHOW = (
    "import json, os, torch\n"
    "from tools.arithmetic import PIN, fingerprint\n"
    "pin = {name: os.environ.get(name) for name in PIN}\n"
    "print(json.dumps([pin, torch.backends.cpu.get_cpu_capability(), torch.get_num_threads(), fingerprint()]))"
)
here = pytest.mark.skipif(not arithmetic.is_stored_one(), reason="this processor cannot round as the stored run did")


@pytest.fixture(autouse=True)
def _kernels_find_the_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def shown_by(environment: dict[str, str]) -> list[object]:
    """Pin, capability, threads and fingerprint of a process that is started in this environment."""
    command = [sys.executable, "-c", SHOW]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


@here
def test_pin_is_in_force_in_the_tests() -> None:
    assert {name: os.environ[name] for name in PIN} == PIN
    assert torch.backends.cpu.get_cpu_capability() == "AVX2"


@here
def test_pin_is_in_force_in_kernels(tmp_path: Path) -> None:
    notebook = run(made_up_notebook(code(SHOW)), tmp_path)
    assert json.loads(notebook.cells[0].outputs[0].text) == [PIN, "AVX2", 1, STORED]


@here
def test_stored_notebook_fails_when_the_pin_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(run(made_up_notebook(code(SHOW)), tmp_path), tmp_path / "shown.ipynb")
    for name in list(PIN):
        monkeypatch.delitem(PIN, name)
        monkeypatch.delenv(name)  # the tests have it too
    (failure,) = strict_run([tmp_path / "shown.ipynb"], tmp_path / "report.xml")
    assert "Cell outputs differ" in failure.message


def test_two_threads_are_two_even_where_a_cell_sets_one(tmp_path: Path) -> None:
    source = "import torch\ntorch.set_num_threads(1)\nprint(torch.get_num_threads())"
    write(run(made_up_notebook(code(source)), tmp_path), tmp_path / "threads.ipynb")
    assert strict_run([tmp_path / "threads.ipynb"], tmp_path / "report.xml") == []
    (failure,) = strict_run([tmp_path / "threads.ipynb"], tmp_path / "report.xml", rounding="two threads")
    assert "Cell outputs differ" in failure.message


def test_machine_that_rounds_in_its_own_way_is_told_apart_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = made_up_notebook(tolerant(code("print(f'{1 / 3:.3f} nats')"), 0.02, "the end of a training run"))
    notebook = run(notebook, tmp_path)
    notebook.cells[0].outputs[0].text = "0.343 nats\n"
    write(notebook, tmp_path / "trained.ipynb")
    monkeypatch.setattr(arithmetic, "is_stored_one", lambda: True)
    (failure,) = strict_run([tmp_path / "trained.ipynb"], tmp_path / "report.xml")
    assert "Cell outputs differ" in failure.message
    monkeypatch.setattr(arithmetic, "is_stored_one", lambda: False)
    assert strict_run([tmp_path / "trained.ipynb"], tmp_path / "report.xml") == []
    lines: list[str] = []
    conftest.pytest_terminal_summary(SimpleNamespace(write_line=lines.append))  # type: ignore[arg-type]
    assert lines == [
        "This machine rounds in its own way: notebooks are compared within the tolerances that their cells declare."
    ]


@pytest.mark.parametrize("name", ARITHMETICS)
def test_environment_has_the_variables_of_its_arithmetic_and_no_others(name: str) -> None:
    environment = kernel_environment(rounding=name)
    expected = {"OMP_NUM_THREADS": "1"} | ARITHMETICS[name]
    assert {key: environment[key] for key in [*PIN, "OMP_NUM_THREADS"] if key in environment} == expected


def test_unknown_arithmetic_is_refused() -> None:
    with pytest.raises(ValueError, match="arithmetic is 'avx', expected one of 'pinned', 'ATen default'"):
        kernel_environment(rounding="avx")


def test_other_arithmetics_are_others() -> None:
    capability = shown_by(kernel_environment(rounding="ATen default"))
    assert capability[1:3] == ["DEFAULT", 1]
    assert capability[3] != STORED
    assert shown_by(kernel_environment(rounding="two threads"))[2] == 2


def test_readers_are_free_of_the_pin() -> None:
    guides = [ROOT / "Makefile", ROOT / "README.md", *ROOT.rglob("bertmini/**/*.py"), *ROOT.glob("chapters/*.ipynb")]
    texts = {path.name: path.read_text(encoding="utf-8") for path in guides}
    assert len(texts) > 50
    assert [(name, file) for name in PIN for file, text in texts.items() if name in text] == []


def test_fingerprint_leaves_the_threads_and_the_random_numbers_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    assert arithmetic.fingerprint() == arithmetic.fingerprint()
    assert torch.equal(torch.rand(5), expected)
    assert torch.get_num_threads() == threads
