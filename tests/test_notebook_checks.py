"""The checks are checked: a sound notebook passes them all, and each way to break it fails one, for its own reason."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output
from PIL import Image

from tests.made_up import CHAPTER, code, made_up_notebook, text
from tests.notebook_checks import CHECKS, complaints
from tests.strict_nbval import picture_difference, same_text, strict_run
from tools.arithmetic import PINNED
from tools.notebooks import ROOT, TIMES, Measure, normalise, read, read_times, run, store, write, write_times

LOSS, COUNTS, FIGURE, ERROR, TIMING, TRAINED, CLAIM, DOUBLE = 1, 2, 4, 5, 6, 7, 8, 9  # cells of the made-up chapter
CODE_CELLS = [number for number, cell in enumerate(CHAPTER.cells) if cell.cell_type == "code"]
Mutation = Callable[[NotebookNode], object]
Mutants = dict[str, tuple[Mutation, int, str]]  # by name: the mutation, its cell, what must be said of it


@pytest.fixture(scope="module")
def chapter(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The made-up chapter as the runner stores it."""
    return run(CHAPTER, tmp_path_factory.mktemp("chapter"))


def broken(chapter: NotebookNode, mutate: Mutation) -> NotebookNode:
    """A copy of the chapter after one mutation."""
    notebook = nbformat.from_dict(chapter)
    mutate(notebook)
    return notebook


def replace(cell: int, old: str, new: str, *, inside: str = "output") -> Mutation:
    """The mutation that replaces a text in the source or in the outputs of a cell."""

    def mutate(notebook: NotebookNode) -> None:
        target = notebook.cells[cell]
        changed = 0
        if inside == "source":
            changed = target.source.count(old)
            target.source = target.source.replace(old, new)
        for output in target.outputs if inside == "output" else []:
            for holder, key in [(output, "text"), (output, "evalue"), *((output.get("data", {}), k) for k in _MIMES)]:
                if key in holder:
                    changed += holder[key].count(old)
                    holder[key] = holder[key].replace(old, new)
        assert changed, f"nothing to mutate: {old!r} is not in cell {cell}"

    return mutate


_MIMES = ("text/plain", "text/html")


def png(width: int, height: int, *, software: str | None = None) -> bytes:
    """A grey picture."""
    from PIL.PngImagePlugin import PngInfo

    buffer, info = io.BytesIO(), PngInfo()
    if software:
        info.add_text("Software", software)
    Image.new("RGB", (width, height), "grey").save(buffer, "png", pnginfo=info)
    return buffer.getvalue()


def one_pixel(notebook: NotebookNode) -> None:
    data = notebook.cells[FIGURE].outputs[0].data
    pixel = base64.b64encode(png(1, 1)).decode()
    data["text/html"] = re.sub('base64,[^"]+', f"base64,{pixel}", data["text/html"])


def no_figure(notebook: NotebookNode) -> None:
    data = notebook.cells[FIGURE].outputs[0].data
    data["text/html"] = re.sub(' src="[^"]+"', "", data["text/html"])


def never_run(notebook: NotebookNode) -> None:
    notebook.cells[DOUBLE].execution_count, notebook.cells[DOUBLE].outputs = None, []


def out_of_order(notebook: NotebookNode) -> None:
    cells = notebook.cells
    cells[LOSS].execution_count, cells[COUNTS].execution_count = 2, 1


def run_twice(notebook: NotebookNode) -> None:
    notebook.cells[DOUBLE].execution_count += 1
    notebook.cells[DOUBLE].outputs[0].execution_count += 1


def add_output(cell: int, kind: str, **content: object) -> Mutation:
    return lambda notebook: notebook.cells[cell].outputs.append(new_output(kind, **content))


def framed(page: str, *, escaped: bool = True) -> str:
    """A page in a frame, with only the quotes escaped, as `bertmini.viz.interactive.frame` does it, or all."""
    page = page.replace("&", "&amp;").replace('"', "&quot;")
    if escaped:
        page = page.replace("<", "&lt;").replace(">", "&gt;")
    return f'<iframe title="A view" srcdoc="{page}"></iframe>'


def set_tags(cell: int, *tags: str) -> Mutation:
    return lambda notebook: notebook.cells[cell].metadata.update(tags=list(tags))


def bare_png(notebook: NotebookNode) -> None:
    notebook.cells[FIGURE].outputs[0].data = {"image/png": base64.b64encode(png(9, 9)).decode()}


def megabyte(notebook: NotebookNode) -> None:
    noise = np.random.default_rng(0).bytes(800_000)
    notebook.cells[FIGURE].outputs[0].data["image/png"] = base64.b64encode(noise).decode()


def third_ignored(notebook: NotebookNode) -> None:
    for cell in (LOSS, COUNTS):
        notebook.cells[cell].source += "\nseconds = 1"
        notebook.cells[cell].metadata["tags"] = ["nbval-ignore-output"]


def unsorted_set(notebook: NotebookNode) -> None:
    (cell,) = run(made_up_notebook(code("print({letter for letter in 'wordpiece'})")), ROOT).cells
    notebook.cells[DOUBLE].update(source=cell.source, outputs=cell.outputs)


def declare(cell: int, **changes: object) -> Mutation:
    """The mutation of what a cell declares about its tolerance."""
    return lambda notebook: notebook.cells[cell].metadata["bertmini"].update(changes)


def update(key: str, value: object) -> Mutation:
    return lambda notebook: notebook.metadata.update({key: value})


# What a reader of the stored file can see, without running it: (the mutation, the one check that must complain, how).
STATIC: dict[str, tuple[Mutation, str, str]] = {
    "never run": (never_run, "every_cell_was_run", "cell 10 was never run"),
    "counts out of order": (out_of_order, "run_once_in_order", "cell 2 has count ['2'], expected 1"),
    "a cell run twice": (run_twice, "run_once_in_order", "cell 10 has count ['10'], expected 9"),
    "error without its tag": (set_tags(ERROR), "errors_are_declared", "cell 6 fails"),
    "tag without its error": (set_tags(LOSS, "raises-exception"), "errors_are_declared", "cell 2 is tagged"),
    "a warning": (
        add_output(LOSS, "stream", name="stderr", text="UserWarning: old"),
        "no_stderr",
        "cell 2 writes to stderr: 'UserWarning: old'",
    ),
    "a third ignored output": (third_ignored, "ignored_outputs_are_timings", "3 cells are tagged"),
    "ignored, but no timing": (
        set_tags(LOSS, "nbval-ignore-output"),
        "ignored_outputs_are_timings",
        "cell 2 is tagged 'nbval-ignore-output' and reads no clock",
    ),
    "ignored figure": (
        lambda n: (
            replace(FIGURE, "heights", "seconds", inside="source")(n),
            set_tags(FIGURE, "nbval-ignore-output")(n),
        ),
        "ignored_outputs_are_timings",
        "cell 5 is tagged 'nbval-ignore-output' and draws",
    ),
    "tolerance that hides a change": (
        declare(TRAINED, tolerance=0.5),
        "tolerances_are_small_and_argued",
        "cell 8 has the tolerance 0.5: at most 0.1",
    ),
    "tolerance of nothing": (
        declare(TRAINED, tolerance=0.0),
        "tolerances_are_small_and_argued",
        "cell 8 has the tolerance 0.0",
    ),
    "tolerance without a number": (
        declare(TRAINED, tolerance="any"),
        "tolerances_are_small_and_argued",
        "cell 8 has the tolerance 'any'",
    ),
    "tolerance without a reason": (
        declare(TRAINED, because="noise"),
        "tolerances_are_small_and_argued",
        "cell 8 gives the reason 'noise'",
    ),
    "tolerance with a key too many": (
        declare(TRAINED, pictures=False),
        "tolerances_are_small_and_argued",
        "cell 8 declares {'tolerance': 0.02, 'because'",
    ),
    "tolerance of whole numbers": (
        lambda n: n.cells[COUNTS].metadata.update(n.cells[TRAINED].metadata),
        "tolerances_are_small_and_argued",
        "cell 3 has a tolerance and shows neither a decimal nor a figure",
    ),
    "skipped by tag": (set_tags(LOSS, "nbval-skip"), "nothing_is_skipped", "cell 2 has the tag 'nbval-skip'"),
    "skipped by comment": (
        replace(LOSS, "loss = ", "# NBVAL_SKIP\nloss = ", inside="source"),
        "nothing_is_skipped",
        "cell 2 has the comment NBVAL_SKIP",
    ),
    "closing semicolon": (replace(DOUBLE, "2", "2;", inside="source"), "no_semicolons", "cell 10 has a semicolon"),
    "widget state": (update("widgets", {"state": {}}), "no_widget_state", "the notebook stores widget state"),
    "a widget": (
        add_output(LOSS, "display_data", data={"application/vnd.jupyter.widget-view+json": {}}),
        "no_widget_state",
        "cell 2 shows a widget",
    ),
    "clear_output": (
        replace(LOSS, "loss = ", "clear_output()\nloss = ", inside="source"),
        "no_vanishing_outputs",
        "cell 2 uses clear_output",
    ),
    "machine path": (
        replace(LOSS, "the loss", "/home/ada/book: the loss"),
        "no_machine_facts",
        "cell 2 prints a folder of this machine: '/home/ada/book:'",
    ),
    "object address": (replace(LOSS, "the loss", "<Loss at 0x7f3a5c12>"), "no_machine_facts", "an object's address"),
    "time stamp": (replace(LOSS, "the loss", "2025-03-01 loss"), "no_machine_facts", "a date or a time of day"),
    "machine path in a view": (
        add_output(DOUBLE, "display_data", data={"text/html": framed("<p>/home/ada/book</p><script>1</script>")}),
        "no_machine_facts",
        "cell 10 prints a folder of this machine: '/home/ada/book",
    ),
    "all the digits": (replace(LOSS, "0.69", "0.6931471805599453"), "decimals_are_few", "prints 0.6931471805599453"),
    "editor's metadata": (update("toc", {}), "metadata_is_ours", "toc"),
    "cell timing": (
        lambda n: n.cells[LOSS].metadata.update(execution={"iopub.execute_input": "now"}),
        "metadata_is_ours",
        "cell 2 has foreign metadata: ['execution']",
    ),
    "too big": (megabyte, "size_is_small", "MB with outputs"),
    "no alt text": (
        replace(FIGURE, 'alt="Three bars that grow from left to right" ', ""),
        "figures_have_alt_text",
        "cell 5: a picture's alt text is None",
    ),
    "empty alt text": (
        replace(FIGURE, "Three bars that grow from left to right", "bars"),
        "figures_have_alt_text",
        "cell 5: a picture's alt text is 'bars'",
    ),
    "bare PNG": (bare_png, "figures_have_alt_text", "cell 5 shows a figure without alt text"),
    "drawing without alt text": (
        lambda n: n.cells[0].update(source="# A chapter\n\n![](../figures/none.svg)"),
        "figures_have_alt_text",
        "cell 1: a picture's alt text is ''",
    ),
}

# What only running it again can tell: (the mutation, the cell that must fail, how).
STALE: Mutants = {
    "first decimal wrong": (replace(LOSS, "0.69", "0.79"), LOSS, "Cell outputs differ"),
    "second decimal wrong": (replace(LOSS, "0.69", "0.66"), LOSS, "Cell outputs differ"),
    "word wrong": (replace(LOSS, "nats", "bits"), LOSS, "Cell outputs differ"),
    "whole number wrong": (replace(COUNTS, "38", "37"), COUNTS, "Cell outputs differ"),
    "result wrong": (replace(DOUBLE, "1.3862", "1.3962"), DOUBLE, "Cell outputs differ"),
    "output missing": (lambda n: n.cells[LOSS].outputs.clear(), LOSS, "Unexpected output fields"),
    "source changed, text not rerun": (
        replace(COUNTS, "38", "37", inside="source"),
        COUNTS,
        "Cell outputs differ",
    ),
    "source changed, figure not rerun": (
        replace(FIGURE, "[1, 2, 3]", "[3, 2, 1]", inside="source"),
        FIGURE,
        "of the pixels are far off",
    ),
    "figure is one pixel": (one_pixel, FIGURE, "stored 1 x 1 pixels"),
    "alt text of another figure": (replace(FIGURE, "Three bars", "Seven bars"), FIGURE, "Cell outputs differ"),
    "error of another kind": (replace(ERROR, "division", "addition"), ERROR, "Cell outputs differ"),
    "error without its tag": (set_tags(ERROR), ERROR, "Cell execution caused an exception"),
    "claim made false": (
        replace(CLAIM, "loss < 0.7", "loss < 0.69", inside="source"),
        CLAIM,
        "Cell execution caused an exception",
    ),
    "change within the tolerance, on the stored arithmetic": (
        replace(TRAINED, "0.231", "0.241"),
        TRAINED,
        "Cell outputs differ",
    ),
    "set in its own order": (unsorted_set, DOUBLE, "Cell outputs differ"),
    "network used": (
        replace(
            COUNTS, "right, t", "__import__('socket').create_connection(('192.0.2.7', 80))\nright, t", inside="source"
        ),
        COUNTS,
        "the network cable is pulled",
    ),
}


# The same on another arithmetic: (the mutation, its cell, what must be said of that, "" if nothing).
ELSEWHERE: Mutants = {
    "change within the tolerance": (replace(TRAINED, "0.231", "0.241"), TRAINED, ""),
    "change beyond the tolerance": (replace(TRAINED, "0.231", "0.261"), TRAINED, "Cell outputs differ"),
    "word wrong where numbers may differ": (replace(TRAINED, "nats", "bits"), TRAINED, "Cell outputs differ"),
    "change where none is declared": (replace(LOSS, "0.69", "0.66"), LOSS, "Cell outputs differ"),
    "figure of another shape": (
        lambda n: (
            replace(FIGURE, "[1, 2, 3]", "[3, 2, 1]", inside="source")(n),
            n.cells[FIGURE].metadata.update(n.cells[TRAINED].metadata),
        ),
        FIGURE,
        "of the pixels are far off",
    ),
    "claim made false": (
        replace(CLAIM, "loss < 0.7", "loss < 0.69", inside="source"),
        CLAIM,
        "Cell execution caused an exception",
    ),
}


def test_sound_notebook_has_no_complaints(chapter: NotebookNode) -> None:
    assert complaints(chapter) == {}


@pytest.mark.parametrize("escaped", [True, False])
def test_programs_of_a_view_are_not_read(chapter: NotebookNode, escaped: bool) -> None:
    page = '<p>A view</p><script>const polynomial = 0xedb88320, x = "0.123456789"</script><style>a { top: 0 }</style>'
    shown = add_output(DOUBLE, "display_data", data={"text/html": framed(page, escaped=escaped)})
    assert complaints(broken(chapter, shown)) == {}


@pytest.mark.parametrize("name", STATIC)
def test_mutation_is_seen_without_running(chapter: NotebookNode, name: str) -> None:
    mutate, check, message = STATIC[name]
    found = complaints(broken(chapter, mutate))
    assert list(found) == [check]
    assert message in found[check][0]


def test_every_check_has_a_mutation() -> None:
    assert {check for _, check, _ in STATIC.values()} == {check.__name__ for check in CHECKS}


def messages(chapter: NotebookNode, mutants: Mutants, folder: Path, rounding: str = PINNED) -> dict[str, str]:
    """What the strict run says of each mutant's cell, and of all sound cells together under "sound".

    A kernel takes seconds to start, so mutations of different cells share a notebook.
    """
    notebooks: list[dict[int, str]] = []
    for name, (_, cell, _) in mutants.items():
        free = next((taken for taken in notebooks if cell not in taken), None)
        if free is None:
            notebooks.append(free := {})
        free[cell] = name
    found = dict.fromkeys(["sound", *mutants], "")
    for number, taken in enumerate(notebooks):
        notebook = chapter
        for name in taken.values():
            notebook = broken(notebook, mutants[name][0])
        write(notebook, folder / f"{number}.ipynb")
    for failure in strict_run(sorted(folder.glob("*.ipynb")), folder / "report.xml", rounding=rounding):
        cell = CODE_CELLS[int(failure.cell.removeprefix("Cell "))]
        found[notebooks[int(failure.notebook)].get(cell, "sound")] += failure.message
    return found


@pytest.fixture(scope="module")
def stale(chapter: NotebookNode, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return messages(chapter, STALE, tmp_path_factory.mktemp("stale"))


@pytest.fixture(scope="module")
def elsewhere(chapter: NotebookNode, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return messages(chapter, ELSEWHERE, tmp_path_factory.mktemp("elsewhere"), "as it comes")


def test_sound_cells_repeat(stale: dict[str, str], elsewhere: dict[str, str]) -> None:
    assert (stale["sound"], elsewhere["sound"]) == ("", "")


@pytest.mark.parametrize("name", STALE)
def test_mutation_is_seen_by_running(stale: dict[str, str], name: str) -> None:
    assert STALE[name][2] in stale[name]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_mutation_is_seen_elsewhere(elsewhere: dict[str, str], name: str) -> None:
    expected = ELSEWHERE[name][2]
    assert expected in elsewhere[name]
    assert bool(expected) == bool(elsewhere[name])


@pytest.mark.parametrize(
    ("stored", "fresh", "tolerance", "same"),
    [
        ("0.310 0.552", "0.325 0.540", 0.02, True),
        ("0.310 0.552", "0.331 0.540", 0.02, False),
        ("0.310 of 40", "0.310 of 39", 0.02, False),
        ("head 3: 57 %, next 4%", "head 3: 58 %, next 6%", 0.02, True),
        ("head 3: 57 %", "head 3: 60 %", 0.02, False),
        ("head 3: 57 %", "head 4: 57 %", 0.02, False),
        ("57 %", "58 %", 0.0, False),
        ("0.31", "0.33", 0.001, True),  # two units of the last place are allowed anyway
    ],
)
def test_tolerance_counts_for_decimals_alone(stored: str, fresh: str, tolerance: float, same: bool) -> None:
    assert same_text(stored, fresh, tolerance) is same


@pytest.mark.parametrize(
    ("stored", "fresh", "same"),
    [
        ("loss 0.69", "loss 0.71", True),
        ("loss 0.69", "loss 0.72", False),
        ("loss 0.693", "loss 0.69", False),
        ("loss 0.69", "cost 0.69", False),
        ("[ 0.001, 2.500]", "[-0.001, 2.501]", True),
        ("38 of 40", "37 of 40", False),
        ("torch 2.13.0", "torch 2.12.0", False),
        ("tensor([1., 2.])", "tensor([1., 3.])", False),
        ("2.4e-07", "2.6e-07", True),
        ("2.4e-07", "2.4e-06", False),
        ("9.9e-05", "1.0e-04", True),
        ("1,000.0 steps", "1,000.3 steps", False),
        ("0.5 0.5", "0.5", False),
        ("−0.52 nats", "-0.53 nats", True),
        ("72.1%", "72.3%", True),
        ("nan", "nan", True),
    ],
)
def test_text_is_compared_to_two_units_of_the_last_place(stored: str, fresh: str, same: bool) -> None:
    assert same_text(stored, fresh) is same
    assert same_text(fresh, stored) is same


def test_pictures_are_compared_by_size_and_pixels() -> None:
    assert picture_difference(png(9, 7), png(9, 7)) is None
    assert picture_difference(png(9, 7), png(1, 1)) == "stored 9 x 7 pixels, now 1 x 1"
    assert picture_difference(png(9, 7, software="Matplotlib 3.8"), png(1, 1)) == "stored 9 x 7 pixels, now 1 x 1"
    assert picture_difference(png(9, 7, software="Matplotlib 3.8"), png(9, 8, software="Matplotlib 3.9")) is None


def line(height: int, colour: str = "black") -> bytes:
    """A level line in a white picture of 200 pixels, which stands for a curve."""
    image, buffer = Image.new("RGB", (300, 200), "white"), io.BytesIO()
    image.paste(colour, (0, height, 300, height + 3))
    image.save(buffer, "png")
    return buffer.getvalue()


def test_shapes_may_move_by_the_tolerance_and_nothing_more() -> None:
    assert picture_difference(line(100), line(103)) == "3.00% of the pixels are far off"
    assert picture_difference(line(100), line(104), 0.02) is None
    assert picture_difference(line(100), line(106), 0.02) == "1.00% of the pixels are far off"
    assert picture_difference(line(100), line(100, "red"), 0.02) == "1.50% of the pixels are far off"
    assert picture_difference(line(100), line(250), 0.02) == "1.50% of the pixels are far off"
    assert picture_difference(line(250), line(100), 0.02) == "1.50% of the pixels are far off"


def test_runner_stores_the_same_bytes_twice(chapter: NotebookNode, tmp_path: Path) -> None:
    again = run(chapter, tmp_path)
    chapter, again = nbformat.from_dict(chapter), nbformat.from_dict(again)
    for notebook in (chapter, again):
        notebook.cells[TIMING].outputs = []  # the one output that no two runs share
    assert write(chapter, tmp_path / "chapter.ipynb")
    assert not write(again, tmp_path / "chapter.ipynb")


def test_runner_stores_what_runs_and_keeps_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "chapters").mkdir()
    good, bad = tmp_path / "chapters" / "good.ipynb", tmp_path / "chapters" / "bad.ipynb"
    write(made_up_notebook(text("# Two words"), code("1 + 1")), good)
    write(made_up_notebook(code("1 / 0")), bad)
    before = bad.read_bytes()
    assert store([good, bad], tmp_path) == 1
    assert bad.read_bytes() == before
    assert read(good).cells[1].outputs[0].data == {"text/plain": "2"}
    assert list(read_times(tmp_path)) == ["chapters/good.ipynb"]
    assert read_times(tmp_path)["chapters/good.ipynb"]._replace(seconds=0) == Measure(0, 1, 0, 3, 1)

    stored = good.read_bytes(), (tmp_path / TIMES).read_bytes()
    write_times(read_times(tmp_path) | {"chapters/gone.ipynb": Measure(1, 1, 1, 1, 1)}, tmp_path)
    assert store([good], tmp_path) == 0
    assert (good.read_bytes(), (tmp_path / TIMES).read_bytes()) == stored
    assert "chapters/good.ipynb: stored" in (printed := capsys.readouterr().out)
    assert "chapters/good.ipynb: unchanged" in printed


def test_runner_drops_what_depends_on_the_machine(tmp_path: Path) -> None:
    notebook = made_up_notebook(text("# Title"), CHAPTER.cells[ERROR])
    notebook.metadata["language_info"] = {"name": "python", "version": "3.11.2"}
    notebook.cells[0].metadata["execution"] = {"shell.execute_reply": "now"}
    notebook = run(notebook, tmp_path)
    assert notebook.metadata.language_info == {"name": "python"}
    assert notebook.cells[0].metadata == {}
    assert notebook.cells[1].outputs[0].traceback == ["ZeroDivisionError: division by zero"]
    stored = nbformat.writes(notebook)
    normalise(notebook)
    assert nbformat.writes(notebook) == stored
