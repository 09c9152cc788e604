"""The book runs with the network cable pulled, and without `transformers`.

Every strict run in `tests/test_notebooks.py` is already an offline one, and hides `transformers` from notebooks that
never speak of it. Here the guard itself is tested, and the notebooks that do speak of `transformers` are run without
it: they must reach their last cell, although they then print something else.
"""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_notebooks import NOTEBOOKS, mentions_transformers
from tools.notebooks import kernel_environment, read, run

SPEAKING_OF_TRANSFORMERS = [path for path in NOTEBOOKS if mentions_transformers(path)]
ELSEWHERE = "192.0.2.7"  # an address that is reserved for documentation: nobody is there


def guarded(source: str, *, hidden_modules: str = "") -> subprocess.CompletedProcess[str]:
    """Run a line of Python as a kernel would be run."""
    environment = kernel_environment(hidden_modules=hidden_modules)
    return subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("source", "event"),
    [
        (f"import socket; socket.create_connection(({ELSEWHERE!r}, 80), timeout=1)", "socket.getaddrinfo"),
        (f"import socket; socket.socket().connect(({ELSEWHERE!r}, 80))", "socket.connect"),
        (f"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ({ELSEWHERE!r}, 53))", "socket.sendto"),
        ("import socket; socket.gethostbyname('example.org')", "socket.gethostbyname"),
        ("import urllib.request; urllib.request.urlopen('https://example.org')", "socket.getaddrinfo"),
    ],
)
def test_guard_refuses_the_network(source: str, event: str) -> None:
    done = guarded(source)
    assert done.returncode == 1
    assert f"the network cable is pulled: {event} to" in done.stderr


def test_guard_leaves_loopback_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = guarded(f"import socket; print(socket.create_connection(('127.0.0.1', {port})).getpeername()[1])")
    assert done.stdout.strip() == str(port)


def test_hidden_modules_look_uninstalled() -> None:
    source = (
        "import importlib.util as u; print(u.find_spec('transformers'), u.find_spec('json').name); import transformers"
    )
    done = guarded(source, hidden_modules="transformers")
    assert done.stdout.strip() == "None json"
    assert "ModuleNotFoundError: No module named 'transformers'" in done.stderr


def test_package_needs_neither_network_nor_transformers() -> None:
    source = (
        "import bertmini, importlib, pkgutil\n"
        "names = [m.name for m in pkgutil.walk_packages(bertmini.__path__, 'bertmini.') if '__main__' not in m.name]\n"
        "print(len([importlib.import_module(name) for name in names]) == len(names) > 0)"
    )
    done = guarded(source, hidden_modules="transformers,datasets,bertviz")
    assert (done.stdout.strip(), done.stderr) == ("True", "")


@pytest.mark.parametrize("path", SPEAKING_OF_TRANSFORMERS, ids=[path.stem for path in SPEAKING_OF_TRANSFORMERS])
def test_notebook_runs_without_transformers(path: Path) -> None:
    notebook = run(read(path), path.parent, hidden_modules="transformers")
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
