"""What must hold in a stored notebook before anything is run. Each check is a function that yields its complaints.

`tests/test_notebooks.py` applies them to every chapter and every set of model answers, and
`tests/test_notebook_checks.py` applies them to notebooks that were broken on purpose.
"""

import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

import nbformat
from nbformat import NotebookNode

from tools.notebooks import CELL_METADATA, NOTEBOOK_METADATA

Check = Callable[[NotebookNode], Iterator[str]]

MAX_BYTES = 1_000_000
MAX_IGNORED_CELLS = 2
MAX_DECIMALS = 6
MAX_TOLERANCE = 0.1
MIN_REASON_LETTERS = 20
MIN_ALT_LETTERS = 20
IGNORE_OUTPUT = "nbval-ignore-output"
RAISES = "raises-exception"
CLOCKS = re.compile(r"\b(perf_counter|process_time|monotonic|timeit|seconds|timer?|timed|timing)\b")
NBVAL_COMMENT = re.compile(r"^\s*#\s*(NBVAL_\w+|PYTEST_VALIDATE_IGNORE_OUTPUT)\s*$", re.MULTILINE)
MACHINE_FACTS = {
    "a folder of this machine": re.compile(r"(?:/home/|/root/|/Users/|/tmp/|/work/|/opt/|site-packages|[A-Z]:\\)\S*"),
    "an object's address": re.compile(r"\b0x[0-9a-fA-F]{6,}\b"),
    "a date or a time of day": re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d\b|\b\d\d:\d\d:\d\d\b"),
}
DECIMAL = re.compile(r"\d*\.\d+|\d ?%")
LONG_DECIMAL = re.compile(rf"\d*\.\d{{{MAX_DECIMALS + 1},}}")
DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")
# The programs, data and styles of an interactive view, whose page stands, escaped or not, in an attribute of its frame.
FRAME_PROGRAM = re.compile(r"(?:<|&lt;)(script|style)\b.*?(?:<|&lt;)/\1(?:>|&gt;)", re.DOTALL)
HOW_TO_SHOW = (
    "end the cell with bertmini.viz.style.Picture(figure, alt), of a matplotlib.figure.Figure "
    "(a figure made by pyplot is shown once more by itself, unless it is closed)"
)
MARKDOWN_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]+)[^)]*\)")


def code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """The code cells with their numbers among all cells, counted from 1 as a reader would."""
    return ((number, cell) for number, cell in enumerate(notebook.cells, start=1) if cell.cell_type == "code")


def outputs(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """All stored outputs, each with the number of its cell."""
    return ((number, output) for number, cell in code_cells(notebook) for output in cell.outputs)


def text_of(output: NotebookNode) -> str:
    """What a reader can read of an output: streams, plain text, an error's message, and HTML without embedded pictures
    and without the programs of interactive views."""
    data = output.get("data", {})
    parts = [output.get("text", ""), output.get("evalue", ""), data.get("text/plain", ""), data.get("text/html", "")]
    return FRAME_PROGRAM.sub("", DATA_URI.sub("", "\n".join("".join(part) for part in parts if part)))


def tags(cell: NotebookNode) -> set[str]:
    """A cell's tags."""
    return set(cell.metadata.get("tags", []))


# ------------------------------------------------------------------------------------------------------ how it ran


def every_cell_was_run(notebook: NotebookNode) -> Iterator[str]:
    """nbval does not compare a cell that was never run."""
    for number, cell in code_cells(notebook):
        if cell.execution_count is None:
            yield f"cell {number} was never run"


def run_once_in_order(notebook: NotebookNode) -> Iterator[str]:
    """Counts that go 1, 2, 3 ... are the trace of one run from top to bottom."""
    ran = [(number, cell) for number, cell in code_cells(notebook) if cell.execution_count is not None]
    for expected, (number, cell) in enumerate(ran, start=1):
        counts = {cell.execution_count} | {o.execution_count for o in cell.outputs if "execution_count" in o}
        if counts != {expected}:
            yield f"cell {number} has count {sorted(map(str, counts))}, expected {expected}: run it from top to bottom"
            return


def errors_are_declared(notebook: NotebookNode) -> Iterator[str]:
    """An error is either a mistake or a lesson, and a lesson says so with a tag."""
    for number, cell in code_cells(notebook):
        raised = any(output.output_type == "error" for output in cell.outputs)
        if raised and RAISES not in tags(cell):
            yield f"cell {number} fails: mend it, or tag it {RAISES!r} if that is the lesson"
        if RAISES in tags(cell) and not raised:
            yield f"cell {number} is tagged {RAISES!r} and does not fail"


def no_stderr(notebook: NotebookNode) -> Iterator[str]:
    """Warnings and progress bars are noise to a reader."""
    for number, output in outputs(notebook):
        if output.get("name") == "stderr":
            yield f"cell {number} writes to stderr: {output.text[:80]!r}"


def ignored_outputs_are_timings(notebook: NotebookNode) -> Iterator[str]:
    """What is not compared can rot: at most two cells, text only, and only where a clock is read."""
    ignored = [(number, cell) for number, cell in code_cells(notebook) if IGNORE_OUTPUT in tags(cell)]
    if len(ignored) > MAX_IGNORED_CELLS:
        yield f"{len(ignored)} cells are tagged {IGNORE_OUTPUT!r}, at most {MAX_IGNORED_CELLS} may be"
    for number, cell in ignored:
        if not CLOCKS.search(cell.source):
            yield f"cell {number} is tagged {IGNORE_OUTPUT!r} and reads no clock"
        if any(_has_picture(output) for output in cell.outputs):
            yield f"cell {number} is tagged {IGNORE_OUTPUT!r} and draws: a figure of timings needs stored numbers"


def tolerances_are_small_and_argued(notebook: NotebookNode) -> Iterator[str]:
    """What other arithmetic may change is said cell by cell: by how much, and why."""
    for number, cell in enumerate(notebook.cells, start=1):
        if "bertmini" not in cell.metadata:
            continue
        declared = cell.metadata["bertmini"]
        if not isinstance(declared, dict) or set(declared) != {"tolerance", "because"}:
            yield f"cell {number} declares {declared!r}: give a tolerance and a because, and nothing else"
            continue
        tolerance, reason = declared["tolerance"], declared["because"]
        if not isinstance(tolerance, float) or not 0 < tolerance <= MAX_TOLERANCE:
            yield f"cell {number} has the tolerance {tolerance!r}: at most {MAX_TOLERANCE}, or print fewer digits"
        if not isinstance(reason, str) or len(reason.strip()) < MIN_REASON_LETTERS:
            yield f"cell {number} gives the reason {reason!r}: say in {MIN_REASON_LETTERS} letters what it depends on"
        shown = cell.get("outputs", [])
        if not any(_has_picture(output) or DECIMAL.search(text_of(output)) for output in shown):
            yield f"cell {number} has a tolerance and shows neither a decimal nor a figure: nothing needs one"


def nothing_is_skipped(notebook: NotebookNode) -> Iterator[str]:
    """nbval's other switches would hide a cell from the tests."""
    for number, cell in code_cells(notebook):
        if comment := NBVAL_COMMENT.search(cell.source):
            yield f"cell {number} has the comment {comment[1]}: use a tag, and only {IGNORE_OUTPUT!r} or {RAISES!r}"
        for tag in sorted(tags(cell)):
            if tag.startswith("nbval") and tag != IGNORE_OUTPUT:
                yield f"cell {number} has the tag {tag!r}"


# ------------------------------------------------------------------------------------------------- what is in it


def no_semicolons(notebook: NotebookNode) -> Iterator[str]:
    """A closing `;` silences Jupyter and not nbval: the outputs differ (end a plot's cell by showing it)."""
    for number, cell in code_cells(notebook):
        tokens = tokenize.generate_tokens(io.StringIO(cell.source).readline)
        try:
            found = any(token.type == tokenize.OP and token.string == ";" for token in tokens)
        except (tokenize.TokenError, SyntaxError):  # a cell that shows a syntax error
            found = cell.source.rstrip().endswith(";")
        if found:
            yield f"cell {number} has a semicolon"


def no_widget_state(notebook: NotebookNode) -> Iterator[str]:
    """Widgets weigh 11 kB each and are blank wherever no kernel runs."""
    if "widgets" in notebook.metadata:
        yield "the notebook stores widget state"
    for number, output in outputs(notebook):
        if any("widget" in mime for mime in output.get("data", {})):
            yield f"cell {number} shows a widget"


def no_vanishing_outputs(notebook: NotebookNode) -> Iterator[str]:
    """Outputs that are replaced while a cell runs are stored differently by each front end; SVG is no fixed bytes."""
    for number, cell in code_cells(notebook):
        for word in ("clear_output", "display_id", "update_display"):
            if word in cell.source:
                yield f"cell {number} uses {word}"
    for number, output in outputs(notebook):
        if "image/svg+xml" in output.get("data", {}):
            yield f"cell {number} stores an SVG: draw it in figures/, or show a PNG"


def no_machine_facts(notebook: NotebookNode) -> Iterator[str]:
    """Folders, addresses and dates are true on one machine, on one day."""
    for number, output in outputs(notebook):
        for what, pattern in MACHINE_FACTS.items():
            if found := pattern.search(text_of(output)):
                yield f"cell {number} prints {what}: {found[0]!r}"


def decimals_are_few(notebook: NotebookNode) -> Iterator[str]:
    """Beyond the sixth place, digits are the processor's and not the model's."""
    ignored = {number for number, cell in code_cells(notebook) if IGNORE_OUTPUT in tags(cell)}
    for number, output in outputs(notebook):
        if number not in ignored and (found := LONG_DECIMAL.search(text_of(output))):
            yield f"cell {number} prints {found[0]}: round it to 2 or 3 places"


def metadata_is_ours(notebook: NotebookNode) -> Iterator[str]:
    """Editors leave time stamps, interpreter versions and view state behind."""
    if foreign := {key for key, value in notebook.metadata.items() if value != NOTEBOOK_METADATA.get(key)} - {
        "widgets"
    }:
        yield f"the notebook's metadata is not what tools.notebooks writes: {sorted(foreign)}"
    for number, cell in enumerate(notebook.cells, start=1):
        if foreign := set(cell.metadata) - CELL_METADATA:
            yield f"cell {number} has foreign metadata: {sorted(foreign)}"


def size_is_small(notebook: NotebookNode) -> Iterator[str]:
    """A megabyte is what a reader's browser and a repository's history can bear."""
    if (size := len(nbformat.writes(notebook, version=4).encode())) > MAX_BYTES:
        yield f"{size / 1e6:.2f} MB with outputs, at most {MAX_BYTES / 1e6:.0f} MB: quantise or drop figures"


# ------------------------------------------------------------------------------------------------------- alt text


class _AltTexts(HTMLParser):
    """Collects the alt text of each `<img>`, None where there is none."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs).get("alt"))


def figures_have_alt_text(notebook: NotebookNode) -> Iterator[str]:
    """Every figure tells in words what it shows, where all front ends pass it on: in an `<img alt=...>` of its own."""
    for number, output in outputs(notebook):
        alts = _AltTexts("".join(output.get("data", {}).get("text/html", ""))).found
        if _has_picture(output) and not alts:
            yield f"cell {number} shows a figure without alt text: {HOW_TO_SHOW}"
        yield from (f"cell {number}: {complaint}" for complaint in map(_poor_alt, alts) if complaint)
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "markdown":
            alts = [match["alt"] for match in MARKDOWN_IMAGE.finditer(cell.source)] + _AltTexts(cell.source).found
            yield from (f"cell {number}: {complaint}" for complaint in map(_poor_alt, alts) if complaint)


def _poor_alt(alt: str | None) -> str | None:
    if alt is None or len(alt.strip()) < MIN_ALT_LETTERS:
        return f"a picture's alt text is {alt!r}: say in at least {MIN_ALT_LETTERS} letters what it shows"
    return None


def _has_picture(output: Any) -> bool:
    data = output.get("data", {})
    return any(mime.startswith("image/") for mime in data) or "<img" in "".join(data.get("text/html", ""))


CHECKS: tuple[Check, ...] = (
    every_cell_was_run,
    run_once_in_order,
    errors_are_declared,
    no_stderr,
    ignored_outputs_are_timings,
    tolerances_are_small_and_argued,
    nothing_is_skipped,
    no_semicolons,
    no_widget_state,
    no_vanishing_outputs,
    no_machine_facts,
    decimals_are_few,
    metadata_is_ours,
    size_is_small,
    figures_have_alt_text,
)


def complaints(notebook: NotebookNode, checks: Iterable[Check] = CHECKS) -> dict[str, list[str]]:
    """All complaints, by the name of the check; empty when the notebook is in order."""
    found = {check.__name__: list(check(notebook)) for check in checks}
    return {name: texts for name, texts in found.items() if texts}
