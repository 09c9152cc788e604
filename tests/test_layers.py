"""A room imports from the floors below it and from itself: never from above, from a neighbour, or round in a circle.

And the house stays small: budgets for modules, functions, the core and the whole.
"""

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "bertmini"
FLOORS = {
    "config": 0,
    "files": 0,
    "metrics": 0,
    "answer_scores": 0,
    "data": 1,
    "microworld": 1,
    "model": 1,
    "training": 1,
    "inside": 2,
    "search": 2,
    "viz": 3,
    "runs": 4,
    "__init__": 5,  # the public names
    "printing": 6,
    "commands": 7,
    "cli": 8,
    "__main__": 9,
}
# Below them, and yet unknown to them: any module with a `.loss` can be trained, any array drawn.
MODULE_LINES, FUNCTION_LINES, CORE_LINES, ALL_LINES = 270, 45, 6_000, 15_500
UNKNOWN_TO = {
    "training": {"data", "microworld", "model"},
    "inside": {"data", "microworld", "model", "training"},
    "viz": {"data", "microworld", "model", "training"},
}


def wrong_imports(package: Path) -> list[str]:
    """One sentence per wrong import, and per room that has no floor yet."""
    problems = []
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package).with_suffix("").parts
        room = module[0]
        if room not in FLOORS:
            problems.append(f"{path.relative_to(package)}: give the room {room!r} a floor in {Path(__file__).name}")
            continue
        for line, target in imported_rooms(path, package.name, module):
            if target != room and target not in FLOORS:
                problems.append(f"{path.relative_to(package)}:{line}: {target!r} is no room with a floor")
            elif target != room and (FLOORS[target] >= FLOORS[room] or target in UNKNOWN_TO.get(room, ())):
                problems.append(f"{path.relative_to(package)}:{line}: {room} must not know {target}")
    return problems


def imported_rooms(path: Path, package: str, module: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and room of every import from the package, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            here = (package, *module)[: -node.level] if node.level else ()
            source = ".".join([*here, *([node.module] if node.module else [])])
            names = [f"{source}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, *rest = name.split(".")
            if first == package:
                yield node.lineno, room_of(rest, path, module)


def room_of(parts: list[str], path: Path, module: tuple[str, ...]) -> str:
    """The room that a dotted name leads to: a name that is neither folder nor module stands in the package itself."""
    package = path.parents[len(module) - 1]
    if parts and ((package / parts[0]).is_dir() or (package / f"{parts[0]}.py").is_file()):
        return parts[0]
    return "__init__"


def circles(package: Path) -> list[str]:
    """One sentence per circle of modules that import each other, whichever way and wherever in the file."""
    names = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    wanted = {name: sorted(imported_modules(path, names) - {name}) for name, path in names.items()}
    found: list[str] = []
    done: set[str] = set()

    def follow(name: str, way: list[str]) -> None:
        if name in way:
            found.append(f"{' -> '.join([*way[way.index(name) :], name])}: a circle")
        elif name not in done:
            for target in wanted[name]:
                follow(target, [*way, name])
            done.add(name)

    for name in sorted(names):
        follow(name, [])
    return found


def imported_modules(path: Path, names: Collection[str]) -> set[str]:
    """The package's modules that a file imports, `TYPE_CHECKING` or not; of `from room import name` both readings."""
    targets: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & set(names)
            targets |= inside or {node.module}
    return targets & set(names)


def too_long(package: Path) -> list[str]:
    """One sentence per module over `MODULE_LINES` lines and per function over `FUNCTION_LINES`."""
    problems = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > MODULE_LINES:
            problems.append(f"{path.relative_to(package)} has {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (lines := code_lines(node)) > FUNCTION_LINES:
                problems.append(f"{path.relative_to(package)}: {node.name} has {lines} lines")
    return problems


def code_lines(function: ast.FunctionDef) -> int:
    """A function's lines without its signature and docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    begin = first.end_lineno if documented else first.lineno - 1
    return (function.end_lineno or function.lineno) - (begin or function.lineno)


def count_lines(*paths: Path) -> int:
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))]
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def test_no_import_points_up_or_sideways() -> None:
    assert wrong_imports(PACKAGE) == []


def test_no_module_is_its_own_grandmother() -> None:
    assert circles(PACKAGE) == []


def test_modules_and_functions_are_short() -> None:
    assert too_long(PACKAGE) == []


def test_the_package_is_compact() -> None:
    core = count_lines(*(PACKAGE / room for room in ("config.py", "data", "model", "training")))
    whole = count_lines(PACKAGE)
    assert 2_000 < core < CORE_LINES
    assert core < whole < ALL_LINES
    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    assert f"under {CORE_LINES:,} lines" in readme
    assert f"under {ALL_LINES:,}" in readme


def test_the_whole_package_is_read() -> None:
    rooms = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in PACKAGE.rglob("*.py")}
    assert {"config", "data", "microworld", "model", "training", "viz"} <= rooms


def house(folder: Path, **files: str) -> Path:
    """A made-up package: all rooms, empty, and the given files (`model___heads` is model/heads.py)."""
    package = folder / "bertmini"
    for room in ("data", "microworld", "model", "training", "viz"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text("")
    for name in ("__init__", "config", "files"):
        (package / f"{name}.py").write_text("")
    for name, text in files.items():
        path = package / f"{name.replace('___', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return package


@pytest.mark.parametrize(
    "text",
    [
        "from bertmini.config import BertConfig",
        "import bertmini.config, torch",
        "from bertmini import config",
        "from ..config import BertConfig",
        "from .. import files",
        "from bertmini.model.attention import heads",
        "from . import attention",
        "from .attention import heads",
        "import bertminimal.training",
    ],
)
def test_down_and_within_is_right(tmp_path: Path, text: str) -> None:
    assert wrong_imports(house(tmp_path, model___encoder=text)) == []


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("from bertmini.training.loop import train", "training"),  # up
        ("import bertmini.viz.plots as plots", "viz"),
        ("from bertmini.data.wordpiece import WordPieceTokenizer", "data"),  # sideways
        ("from bertmini import microworld", "microworld"),
        ("from ..data import wordpiece", "data"),
        ("from .. import data", "data"),
        ("def late():\n    from bertmini import viz", "viz"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from bertmini.training.loop import train",
            "training",
        ),
        ("from bertmini import BertModel", "__init__"),  # by way of the front door, which knows everybody
        ("import bertmini", "__init__"),
    ],
)
def test_up_and_sideways_is_found(tmp_path: Path, text: str, target: str) -> None:
    package = house(tmp_path, model___encoder=f"import torch\n{text}")
    line = 2 + text.count("\n")
    assert wrong_imports(package) == [f"model/encoder.py:{line}: model must not know {target}"]


@pytest.mark.parametrize(
    ("room", "target"),
    [("training___loop", "model"), ("training___loop", "viz"), ("viz___plots", "data"), ("viz___plots", "training")],
)
def test_training_and_pictures_know_neither_data_nor_model(tmp_path: Path, room: str, target: str) -> None:
    package = house(tmp_path, **{room: f"from bertmini.{target} import something"})
    assert [problem.split(": ")[1] for problem in wrong_imports(package)] == [
        f"{room[: room.index('_')]} must not know {target}"
    ]


def test_the_ground_floor_is_rooms_too(tmp_path: Path) -> None:
    package = house(tmp_path, config="from bertmini.files import write_atomically")
    assert wrong_imports(package) == ["config.py:1: config must not know files"]


def test_the_command_line_may_know_everybody(tmp_path: Path) -> None:
    text = "from bertmini import BertModel\nfrom bertmini.data import corpora\nfrom bertmini.viz import plots"
    assert wrong_imports(house(tmp_path, __main__=text)) == []


def test_a_room_without_a_floor_is_found(tmp_path: Path) -> None:
    package = house(tmp_path, probing___probes="", __main__="from bertmini.probing import probes")
    assert wrong_imports(package) == [
        "__main__.py:1: 'probing' is no room with a floor",
        "probing/probes.py: give the room 'probing' a floor in test_layers.py",
    ]


@pytest.mark.parametrize(
    "back",
    [
        "from bertmini.model.encoder import BertModel",
        "import bertmini.model.encoder",
        "from bertmini.model import encoder",
    ],
)
@pytest.mark.parametrize("when", ["{}", "def late():\n    {}", "if TYPE_CHECKING:\n    {}"])
def test_a_circle_is_found(tmp_path: Path, back: str, when: str) -> None:
    package = house(tmp_path, model___encoder="from bertmini.model.fast import read", model___fast=when.format(back))
    assert circles(package) == ["bertmini.model.encoder -> bertmini.model.fast -> bertmini.model.encoder: a circle"]
    (package / "model" / "fast.py").write_text("from bertmini.model.attention import heads")
    (package / "model" / "attention.py").write_text("")
    assert circles(package) == []


def test_what_is_too_long_is_found(tmp_path: Path) -> None:
    docstring = '    """' + "\n    Words." * 60 + '\n    """\n'
    package = house(
        tmp_path,
        model___long="x = 1\n" * 271,
        model___short="x = 1\n" * 270,
        model___body="def body():\n" + "    x = 1\n" * 46,
        model___documented=f"def documented():\n{docstring}" + "    x = 1\n" * 45,
    )
    assert too_long(package) == ["model/body.py: body has 46 lines", "model/long.py has 271 lines"]
