"""What must hold of a set of exercises, and how its tests are tried on answers that are wrong on purpose.

A wrong answer is a file `tests/wrong_answers/NN_name/<what is wrong>.py`. Its docstring says in a sentence why somebody
would write it, then which cell's answer it replaces, which test must catch it and with which words:

    \"\"\"Softmax over the queries: columns sum to one, not rows.

    answer: weights
    caught by: test-weights
    message: each row must sum to 1
    \"\"\"

What follows is the whole cell that the student would have handed in.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbformat import NotebookNode

from tools.notebooks import ROOT

WRONG_ANSWERS = ROOT / "tests" / "wrong_answers"
MIN_WRONG_ANSWERS = 2
EXERCISES = range(3, 7)
HEADING = re.compile(r"^## \d+\. .+ · (?:easy|medium|hard) · \d+ minutes · practises .+$", re.MULTILINE)
SOLUTION = re.compile(r"### BEGIN SOLUTION\n.*### END SOLUTION", re.DOTALL)
HIDDEN_TESTS = re.compile(r"^### BEGIN HIDDEN TESTS\n.*?^### END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.MULTILINE)


# ------------------------------------------------------------------------------------------------- wrong answers


class WrongAnswer(NamedTuple):
    """An answer that a student might well give, and how the tests must take it."""

    name: str
    why: str
    answer: str
    caught_by: str
    message: str
    source: str


def read_wrong_answers(folder: Path) -> list[WrongAnswer]:
    """All wrong answers to one set of exercises."""
    return [parse_wrong_answer(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))]


def parse_wrong_answer(name: str, source: str) -> WrongAnswer:
    """A wrong answer from its file; raises ValueError when the docstring lacks a field."""
    tree = ast.parse(source)
    docstring = ast.get_docstring(tree) or ""
    fields = dict(re.findall(r"^(answer|caught by|message): (.+)$", docstring, re.MULTILINE))
    if set(fields) != {"answer", "caught by", "message"}:
        raise ValueError(f"{name}: the docstring has the fields {sorted(fields)}, expected answer, caught by, message")
    body = "\n".join(source.splitlines()[tree.body[0].end_lineno :]).strip("\n")
    why = docstring.partition("\n\n")[0]
    return WrongAnswer(name, why, fields["answer"], fields["caught by"], fields["message"], body)


# ------------------------------------------------------------------------------------------------------- grading


def grade_id(cell: NotebookNode) -> str | None:
    """nbgrader's name of a cell, None where it has no part in grading."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell gives points by itself."""
    mark = cell.metadata.get("nbgrader", {})
    return bool(mark.get("grade")) and not mark.get("solution")


def is_answer(cell: NotebookNode) -> bool:
    """Whether a cell is a student's to write and a test's to judge."""
    mark = cell.metadata.get("nbgrader", {})
    return bool(mark.get("solution")) and not mark.get("grade")


def with_answer(notebook: NotebookNode, answer: str, source: str) -> NotebookNode:
    """A copy of the notebook in which one answer is replaced."""
    notebook = nbformat.from_dict(notebook)
    (cell,) = (cell for cell in notebook.cells if grade_id(cell) == answer)
    cell.source = source
    return notebook


def without_hidden_tests(notebook: NotebookNode) -> NotebookNode:
    """A copy of the notebook with the tests that a student sees."""
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        cell.source = HIDDEN_TESTS.sub("", cell.source)
    return notebook


def failures(notebook: NotebookNode) -> dict[str, str]:
    """Run the code cells here, in one fresh namespace, as nbgrader would: go on after a failure.

    Returns what each failing cell raised, by its grade id (or "cell N"), in order.
    """
    namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *_objects, **_options: None}
    found = {}
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        name = grade_id(cell) or f"cell {number}"
        try:
            exec(compile(cell.source, f"<{name}>", "exec"), namespace)
        except Exception as error:  # a student's cell may raise anything
            found[name] = f"{type(error).__name__}: {error}"
    return found


# -------------------------------------------------------------------------------------------------------- checks


def exercises_are_complete(notebook: NotebookNode) -> Iterator[str]:
    """Each exercise has its heading, and each answer a marked solution, a visible test and a hidden one."""
    headings = [cell for cell in notebook.cells if cell.cell_type == "markdown" and HEADING.search(cell.source)]
    if len(headings) not in EXERCISES:
        yield f"{len(headings)} exercises with a heading '## 1. Title · easy · 5 minutes · practises ...', expected 3-6"
    answer: NotebookNode | None = None
    tests: list[NotebookNode] = []
    for cell in [*notebook.cells, None]:
        if answer is not None and (cell is None or is_answer(cell)):
            yield from _answer_is_tested(answer, tests)
        if cell is not None and is_answer(cell):
            answer, tests = cell, []
        elif cell is not None and is_test(cell):
            tests.append(cell)
            yield from _asserts_have_messages(cell)


def _answer_is_tested(answer: NotebookNode, tests: Sequence[NotebookNode]) -> Iterator[str]:
    name = grade_id(answer)
    if not SOLUTION.search(answer.source):
        yield f"{name} has no ### BEGIN SOLUTION ... ### END SOLUTION"
    if not any(HIDDEN_TESTS.sub("", test.source).strip() for test in tests):
        yield f"{name} has no visible test"
    if not any(HIDDEN_TESTS.search(test.source) for test in tests):
        yield f"{name} has no hidden test"


def _asserts_have_messages(cell: NotebookNode) -> Iterator[str]:
    for node in ast.walk(ast.parse(cell.source)):
        if isinstance(node, ast.Assert) and node.msg is None:
            yield f"{grade_id(cell)} has an assert without a message: {ast.unparse(node)}"


def wrong_answers_are_enough(notebook: NotebookNode, wrong_answers: Sequence[WrongAnswer]) -> Iterator[str]:
    """Two or more for each answer, and at least one in the notebook that only a hidden test can catch."""
    names = [grade_id(cell) for cell in notebook.cells if is_answer(cell)]
    for name in names:
        if (count := sum(wrong.answer == name for wrong in wrong_answers)) < MIN_WRONG_ANSWERS:
            yield f"{name} has {count} wrong answers, expected at least {MIN_WRONG_ANSWERS}"
    if not any(passes_visible_tests(notebook, wrong) for wrong in wrong_answers):
        yield "no wrong answer is nearly right: one should pass the visible tests and fail a hidden one"


def passes_visible_tests(notebook: NotebookNode, wrong: WrongAnswer) -> bool:
    """Whether a student would believe that this answer is right."""
    return failures(without_hidden_tests(with_answer(notebook, wrong.answer, wrong.source))) == {}


def wrong_answer_is_caught(notebook: NotebookNode, wrong: WrongAnswer) -> Iterator[str]:
    """The first cell that fails is the intended test, by an assertion, with the intended words."""
    found = failures(with_answer(notebook, wrong.answer, wrong.source))
    if not found:
        yield f"{wrong.name} passes all tests"
        return
    first, message = next(iter(found.items()))
    if first != wrong.caught_by:
        yield f"{wrong.name} is caught by {first} ({message}), expected {wrong.caught_by}"
    elif not message.startswith("AssertionError") or wrong.message not in message:
        yield f"{wrong.name} fails with {message!r}, expected an assertion that says {wrong.message!r}"
