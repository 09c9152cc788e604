"""Every benchmark is listed, and says how it is started, in a way that works from a clone."""

import ast
import re
from pathlib import Path

import pytest

from tools.notebooks import ROOT

FOLDER = ROOT / "benchmarks"
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.py"))}
PROGRAMS = [path for path, tree in TREES.items() if "main" in {getattr(node, "name", "") for node in tree.body}]
every_program = pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])


def rooms(tree: ast.Module) -> set[str]:
    """What a program imports from, by the first word."""
    return {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@every_program
def test_program_is_listed(path: Path) -> None:
    assert f"| `{path.name}` |" in (FOLDER / "README.md").read_text(encoding="utf-8")


@every_program
def test_docstring_says_how_to_start_it(path: Path) -> None:
    """Python finds the folder of the program and the installed package, but not the other folders of the clone."""
    told = ast.get_docstring(TREES[path]) or ""
    (first, *_) = re.findall(rf"^ *((?:PYTHONPATH=\. )?python benchmarks/{path.name}.*)$", told, re.MULTILINE) or [""]
    leans = bool(rooms(TREES[path]) & {"tools", "tests", "figures"})
    assert first.startswith("PYTHONPATH=. python" if leans else "python"), f"started by {first!r}"
