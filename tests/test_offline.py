"""The book runs with the network cable pulled, and without `transformers`.

Every strict run in `tests/test_notebooks.py` is already an offline one, and hides `transformers` from notebooks that
never speak of it. Here the guard itself is tested, and the notebooks that do speak of `transformers` are run without
it, from the first cell that does: they must reach their last one, although they then print something else.
"""

import ast
import socket
import subprocess
import symtable
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode

from tests.made_up import code, made_up_notebook
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


def names(statements: Iterable[ast.stmt]) -> tuple[set[str], set[str]]:
    """What statements of a cell give a name to, and the names that they need from the cells before it."""
    given: set[str] = set()
    needed: set[str] = set()
    for statement in statements:
        body: list[ast.stmt] = []
        if isinstance(statement, ast.For):  # its variable is given before its body reads it
            body = [ast.Assign([statement.target], statement.iter), *statement.body, *statement.orelse]
        elif isinstance(statement, ast.If):
            body = [ast.Expr(statement.test), *statement.body, *statement.orelse]
        if body:
            gives, needs = names(body)
        else:
            table = symtable.symtable(ast.unparse(ast.fix_missing_locations(statement)), "cell", "exec")
            gives = {
                symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()
            }
            needs = set(read_names(table))
        needed |= needs - given
        given |= gives
    return given, needed


def read_names(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that are read from the module, in a scope and in those inside of it."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from read_names(inner)


def from_first_mention(notebook: NotebookNode, word: str) -> NotebookNode:
    """The code cells from the first that mentions the word, and of those before it the ones that they need."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    first = next(number for number, cell in enumerate(cells) if word in cell.source)
    kept: list[NotebookNode] = []
    needed: set[str] = set()
    for number in reversed(range(len(cells))):
        given, needs = names(ast.parse(cells[number].source).body)
        if number >= first or given & needed:
            kept.insert(0, cells[number])
            needed = needed - given | needs
    return made_up_notebook(*kept)


def test_cells_before_the_first_mention_are_left_out_unless_needed() -> None:
    sources = [
        "import math as m, os.path",
        "def slow():\n    return m.pi",
        "x = slow()",
        "y = 2",
        "z = y",
        "import ham",
    ]
    notebook = made_up_notebook(*map(code, [*sources, "print(z, os)"]))
    assert [cell.source for cell in from_first_mention(notebook, "ham").cells] == [
        "import math as m, os.path", "y = 2", "z = y", "import ham", "print(z, os)"
    ]  # fmt: skip
    everything = made_up_notebook(*map(code, [*sources, "print(x, y, z)"]))
    assert len(from_first_mention(everything, "ham").cells) == 7


@pytest.mark.parametrize("path", SPEAKING_OF_TRANSFORMERS, ids=[path.stem for path in SPEAKING_OF_TRANSFORMERS])
def test_notebook_runs_without_transformers(path: Path) -> None:
    notebook = run(from_first_mention(read(path), "transformers"), path.parent, hidden_modules="transformers")
    assert [cell.execution_count for cell in notebook.cells] == list(range(1, len(notebook.cells) + 1))
