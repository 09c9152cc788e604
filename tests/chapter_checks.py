"""What ties the chapters to the package and to the book's plan. Each check is a function that yields its complaints.

The package is the source of truth: a cell may repeat it only under a mark, and then word for word; a simplified version
has a name of its own. Every number in the prose stands in the chapter's code or outputs, unless it is cited.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat import NotebookNode

import bertmini
from tests.notebook_checks import DATA_URI, MARKDOWN_IMAGE, code_cells, text_of

SAME_AS = re.compile(r"^# same as (bertmini(?:\.\w+)+)\s*$", re.MULTILINE)
TAUGHT_IN = re.compile(r"Taught in chapters? ([^.]*\d\d)\.")
SECTIONS = ("Check yourself", "Summary", "Sources", "Next")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s#]+)[^)]*\)")

# ------------------------------------------------------------------------------------------- chapter and package


def package_modules() -> list[str]:
    """The dotted names of all modules of the package."""
    found = pkgutil.walk_packages(bertmini.__path__, "bertmini.")
    return sorted(module.name for module in found if not module.name.endswith("__main__"))


def public_names() -> dict[str, str]:
    """Every public class and function of the package, by its bare name, with its dotted one."""
    names: dict[str, str] = {}
    for module_name in package_modules():
        for name, value in vars(importlib.import_module(module_name)).items():
            defined_here = getattr(value, "__module__", None) == module_name
            if defined_here and not name.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)):
                names[name] = f"{module_name}.{name}"
    return names


def repeats_are_exact(notebook: NotebookNode) -> Iterator[str]:
    """A cell marked `# same as bertmini.x.y` has the syntax tree of the package's object."""
    for number, cell in code_cells(notebook):
        for dotted in SAME_AS.findall(cell.source):
            name = dotted.rpartition(".")[2]
            here = [node for node in ast.parse(cell.source).body if getattr(node, "name", None) == name]
            there = resolve(dotted)
            if there is None:
                yield f"cell {number} says it is the same as {dotted}, which does not exist"
            elif not here:
                yield f"cell {number} says it is the same as {dotted} and does not define {name}"
            elif _bare(here[0]) != _bare(ast.parse(textwrap.dedent(inspect.getsource(there))).body[0]):
                yield f"cell {number} says it is the same as {dotted} and differs from it"


def package_is_not_shadowed(notebook: NotebookNode, names: dict[str, str] | None = None) -> Iterator[str]:
    """A class or function with a name of the package, and without the mark, would pass for the package's own."""
    names = public_names() if names is None else names
    for number, cell in code_cells(notebook):
        marked = {dotted.rpartition(".")[2] for dotted in SAME_AS.findall(cell.source)}
        for name in _defined(cell.source) - marked:
            if name in names:
                yield f"cell {number} redefines {names[name]}: give it a name of its own, or mark it as the same"


def resolve(dotted: str) -> object | None:
    """The package's object of this name, or None."""
    module_name, _, name = dotted.rpartition(".")
    if module_name not in package_modules():
        return None
    return getattr(importlib.import_module(module_name), name, None)


def _defined(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a cell that shows a syntax error defines nothing
        return set()
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def _bare(node: ast.AST) -> str:
    """A definition's syntax tree without its docstrings."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(inner, clean=False) is not None:
            inner.body = inner.body[1:] or [ast.Pass()]
    return ast.dump(node)


# ------------------------------------------------------------------------------------------------ prose and plan


def sections_are_there(notebook: NotebookNode) -> Iterator[str]:
    """A chapter opens with its title and closes with the four sections that every chapter has, in order."""
    headings = re.findall(r"^#{1,3} +(.+?)\s*$", markdown(notebook), re.MULTILINE)
    if not notebook.cells or not notebook.cells[0].source.startswith("# "):
        yield "the first cell is not the title"
    closing = [heading for heading in headings if heading in SECTIONS]
    if closing != list(SECTIONS):
        yield f"the closing sections are {closing}, expected {list(SECTIONS)}"


def links_lead_somewhere(notebook: NotebookNode, folder: Path) -> Iterator[str]:
    """Pictures and links with relative paths name files that exist."""
    text = markdown(notebook)
    for match in [*MARKDOWN_IMAGE.finditer(text), *LINK.finditer(text)]:
        target = match["target"]
        if "://" in target and match.re is MARKDOWN_IMAGE:
            yield f"the picture {target} comes from the network"
        elif "://" not in target and not target.startswith("mailto:") and not (folder / target).exists():
            yield f"{target} does not exist"


CITED = re.compile(
    r"\[[^\]]+\]\(|§|\bet al\.|\bsections?\b|\btable\b|\barxiv\b|\bappendix\b|\bexercise\b", re.IGNORECASE
)
NOT_PROSE = re.compile(r"```.*?```|\$\$.*?\$\$|\$[^$\n]+\$|`[^`]*`|<[^>]+>|\[[^\]]*\]\([^)]*\)", re.DOTALL)
CLAIM = re.compile(r"(?<![\w.,])(?:(\d+) of (?:the )?(\d+)\b|(\d*\.\d+)(?!\d|\.\d)|(\d+)(?=\s?%))")
NUMBER = re.compile(r"\d[\d,_]*(?:\.\d+)?(?:e[-+]?\d+)?|\.\d+")


def numbers_are_run(notebook: NotebookNode) -> Iterator[str]:
    """Decimals, percentages and "38 of 40" in the prose stand in code or outputs of the chapter, or are cited there.

    A rounded number counts ("about 0.7" where 0.693 is printed), and so does a percentage of a printed fraction.
    """
    shown = " ".join(
        [cell.source for _, cell in code_cells(notebook)]
        + [text_of(output) for _, cell in code_cells(notebook) for output in cell.outputs]
    )
    values = {float(number.replace(",", "").replace("_", "")) for number in NUMBER.findall(DATA_URI.sub("", shown))}
    in_quiz = False  # whose wrong options are false on purpose
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "markdown":
            continue
        if heading := re.search(r"^#+ +(.+?)\s*$", cell.source, re.MULTILINE):
            in_quiz = heading[1] == SECTIONS[0]
        for paragraph in [] if in_quiz else re.split(r"\n\s*\n", cell.source):
            if CITED.search(paragraph):
                continue
            for claim in CLAIM.finditer(NOT_PROSE.sub(" ", paragraph)):
                if not _is_shown(claim, values):
                    yield f"cell {number} says {claim[0]!r}, which the chapter neither prints, asserts nor cites"


def _is_shown(claim: re.Match[str], values: Iterable[float]) -> bool:
    part, whole, decimal, percent = claim.groups()
    if part:
        return {float(part), float(whole)} <= set(values)
    if percent:
        return any(abs(value - float(percent)) <= 0.51 or abs(100 * value - float(percent)) <= 0.51 for value in values)
    unit = 10.0 ** -len(decimal.partition(".")[2])
    return any(
        abs(value - float(decimal)) <= 0.51 * unit or abs(100 * value - float(decimal)) <= 0.51 * unit
        for value in values
    )


def markdown(notebook: NotebookNode) -> str:
    """All of a notebook's prose."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def chapters_of_modules() -> dict[str, list[str]]:
    """The chapter numbers that each module's docstring names."""
    docstrings = {name: importlib.import_module(name).__doc__ or "" for name in package_modules()}
    return {name: re.findall(r"\d\d", " ".join(TAUGHT_IN.findall(text))) for name, text in docstrings.items()}
