"""Small notebooks written by the tests, so that the machinery is tested whether or not chapters exist."""

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def made_up_notebook(*cells: NotebookNode) -> NotebookNode:
    """A notebook of these cells, with ids that do not change from run to run."""
    notebook = new_notebook(cells=[nbformat.from_dict(cell) for cell in cells])
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    return notebook


def text(source: str) -> NotebookNode:
    """A markdown cell."""
    return new_markdown_cell(source)


def code(source: str, *tags: str) -> NotebookNode:
    """A code cell that was not run yet."""
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def tolerant(cell: NotebookNode, tolerance: float, because: str) -> NotebookNode:
    """The cell, which declares a tolerance."""
    cell.metadata["bertmini"] = {"tolerance": tolerance, "because": because}
    return cell


# What every chapter has, in small: words, a decimal, whole numbers, a figure, a declared error, a timing, a tolerance,
# a claim.
CHAPTER = made_up_notebook(
    text("# A chapter\n\n![A drawing of two boxes and an arrow](../figures/none.svg)"),
    code("loss = 0.6931\nprint(f'the loss is {loss:.2f} nats')"),
    code("right, total = 38, 40\nprint(right, 'of', total)"),
    code("from matplotlib.figure import Figure\nfrom bertmini.viz.style import Picture"),
    code(
        "heights = [1, 2, 3]\n"
        "figure = Figure(dpi=50)\n"
        "figure.subplots().bar(range(3), heights)\n"
        "Picture(figure, 'Three bars that grow from left to right')"
    ),
    code("1 / 0", "raises-exception"),
    code("import time\nprint('seconds:', time.perf_counter())", "nbval-ignore-output"),
    tolerant(code("print(f'after training: {loss / 3:.3f} nats')"), 0.02, "the end of a training run"),
    code("assert loss < 0.7, 'the prose says that the loss is under 0.7'"),
    code("loss * 2"),
)
