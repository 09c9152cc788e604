"""What must hold of a set of exercises, and how its tests are tried on answers that are wrong on purpose.

A wrong answer is a file `tests/wrong_answers/NN_name/<what is wrong>.py`. Its docstring says in a sentence why somebody
would write it, then which cell's answer it replaces, which test must catch it and with which words:

    \"\"\"Softmax over the queries: columns sum to one, not rows.

    answer: weights
    caught by: test-weights
    message: each row must sum to 1
    \"\"\"

What follows is the whole cell that the student would have handed in.

Answers that differ from the model answer in a line or two stand in `tests/wrong_answers/NN_name/variants.toml`: tables
`[[wrong]]` with `name`, `kind`, `why`, `answer`, `message`, and `[[right]]` without `kind` and `message`. Each has
`replace`, a list of [text of the model answer, other text], or `source`, the whole cell. The kinds: "the text demands
it" (and no test might look), "other inputs" (than the example's), "the caller's data" (is changed), "gradients" (are
lost or wrong), "side effects", "weak test" (one that would be too lenient lets it pass) and "shortcut" (through what
should be written out). Of each kind that applies to an exercise there are three or more.

    python -m tests.exercise_checks        # the table of what is caught, by the visible tests or by hidden ones
    python -m tests.exercise_checks 13     # for the sets that begin so
"""

import ast
import contextlib
import io
import random
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import torch
from nbformat import NotebookNode

from tools.notebooks import ROOT, read

WRONG_ANSWERS = ROOT / "tests" / "wrong_answers"
COMMON = "as a student might"
MIN_COMMON, MIN_OF_A_KIND = 2, 3
EXERCISES = range(3, 7)
HEADING = re.compile(
    r"^## (\d+)\. .+ · (?:easy|medium|hard) · (\d+) minutes · (\d+) points · practises .+$", re.MULTILINE
)
TITLE = re.compile(
    r"^# Exercises: .+ · (\d+) minutes · (\d+) points\n\nIn class: exercises ([\d, and]+) \((\d+) minutes\)"
)
EXAMPLE = "## 1. Title · easy · 5 minutes · 3 points · practises ..."
CLASS_MINUTES = 30  # what TEACHING.md's plan of a session gives to the exercises
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
    kind: str = COMMON


class RightAnswer(NamedTuple):
    """A right answer that is written otherwise than the model answer, and that no test may accuse."""

    name: str
    why: str
    answer: str
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


def read_variants(folder: Path, notebook: NotebookNode) -> tuple[list[WrongAnswer], list[RightAnswer]]:
    """The wrong and the right answers of `variants.toml`; raises ValueError when a text to replace is not there."""
    path = folder / "variants.toml"
    tables = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    models = {grade_id(cell): cell.source for cell in notebook.cells if is_answer(cell)}
    wrong = [
        WrongAnswer(
            name=table["name"],
            why=table["why"],
            answer=table["answer"],
            caught_by=f"test-{table['answer']}",
            message=table["message"],
            source=variant_source(table, models[table["answer"]]),
            kind=table["kind"],
        )
        for table in tables.get("wrong", [])
    ]
    right = [
        RightAnswer(table["name"], table["why"], table["answer"], variant_source(table, models[table["answer"]]))
        for table in tables.get("right", [])
    ]
    return wrong, right


def variant_source(table: dict[str, Any], model: str) -> str:
    """The whole cell of a variant."""
    source = table.get("source", model)
    for old, new in table.get("replace", []):
        if source.count(old) != 1:
            raise ValueError(f"{table['name']}: {old!r} stands {source.count(old)} times in the answer, expected once")
        source = source.replace(old, new)
    return source


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


def failures(notebook: NotebookNode) -> dict[str, str]:
    """Run the code cells here, in one fresh namespace, as nbgrader would: go on after a failure.

    Returns what each failing cell raised, by its grade id (or "cell N"), in order.
    """
    namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *_objects, **_options: None}
    found: dict[str, str] = {}
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        found |= run_cell(cell.source, grade_id(cell) or f"cell {number}", namespace)
    return found


class Trial(NamedTuple):
    """What became of an answer: the tests that catch it ("visible", "hidden" or "none"), and what failed first."""

    verdict: str
    failed: str = ""
    message: str = ""


class Rehearsal:
    """A set of exercises whose model answers have run once, so that other answers are tried one exercise at a time.

    Each trial runs the cells of its exercise anew, the ones that are given too, in a copy of the namespace that stood
    before them: what an answer spoils is not there for the next one. It ends with the first failure, or with the last
    test of the answer, and an answer that has been tried is not tried again.
    """

    def __init__(self, notebook: NotebookNode) -> None:
        self.exercises: list[tuple[dict[str, Any], list[NotebookNode]]] = []
        self.namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *_objects, **_options: None}
        self.model_failures: dict[str, str] = {}
        self.trials: dict[tuple[str, str], Trial] = {}
        exercise: list[NotebookNode] = []
        for cell in notebook.cells:
            if cell.cell_type == "markdown" and HEADING.search(cell.source):
                exercise = []
                self.exercises.append((dict(self.namespace), exercise))
            elif cell.cell_type == "code":
                exercise.append(cell)
                self.model_failures |= run_cell(cell.source, grade_id(cell) or "given", self.namespace)

    @property
    def answers(self) -> list[str]:
        """The names of all answers that tests judge."""
        return [str(grade_id(cell)) for _, cells in self.exercises for cell in cells if is_answer(cell)]

    def trial(self, answer: str, source: str) -> Trial:
        """Try another answer to an exercise."""
        if (answer, source) not in self.trials:
            self.trials[answer, source] = self._tried(answer, source)
        return self.trials[answer, source]

    def _tried(self, answer: str, source: str) -> Trial:
        ((before, cells),) = (kept for kept in self.exercises if any(grade_id(cell) == answer for cell in kept[1]))
        namespace = dict(before)
        torch.manual_seed(7_351)  # no number that an answer might seed with
        random.seed(7_351)
        for cell in cells[: self._last_test(answer, cells) + 1]:
            name = grade_id(cell) or "given"
            seen = source if name == answer else HIDDEN_TESTS.sub("", cell.source)
            hidden = "".join(HIDDEN_TESTS.findall(cell.source)) if is_test(cell) else ""
            for verdict, part in (("visible", seen), ("hidden", hidden)):
                for failed, message in run_cell(part, name, namespace).items():
                    return Trial(verdict, failed, message)
        return Trial("none")

    @staticmethod
    def _last_test(answer: str, cells: Sequence[NotebookNode]) -> int:
        """Where the last test of an answer stands: before the next answer."""
        last = judged = -1
        for number, cell in enumerate(cells):
            if is_answer(cell):
                judged = number
            if is_test(cell) and grade_id(cells[judged]) == answer:
                last = number
        return last


def run_cell(source: str, name: str, namespace: dict[str, Any]) -> dict[str, str]:
    """Run a cell; return what it raised, by its name, or nothing."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, f"<{name}>", "exec"), namespace)
    except Exception as error:  # a student's cell may raise anything
        return {name: f"{type(error).__name__}: {error}"}
    return {}


# -------------------------------------------------------------------------------------------------------- checks


def exercises_are_complete(notebook: NotebookNode) -> Iterator[str]:
    """Each exercise has its heading, and each answer a marked solution, a visible test and a hidden one."""
    headings = [cell for cell in notebook.cells if cell.cell_type == "markdown" and HEADING.search(cell.source)]
    if len(headings) not in EXERCISES:
        yield f"{len(headings)} exercises with a heading '{EXAMPLE}', expected 3-6"
    yield from _given_cells_are_locked(notebook)
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


def _given_cells_are_locked(notebook: NotebookNode) -> Iterator[str]:
    """nbgrader puts a locked cell back before it grades; one that is not could be changed into a test that passes."""
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and not is_answer(cell) and not cell.metadata.get("nbgrader", {}).get("locked"):
            yield f"code cell {grade_id(cell) or number} is given and not locked"


def minutes_and_points_agree(notebook: NotebookNode) -> Iterator[str]:
    """Title and headings name the same minutes and points, nbgrader gives those points, and a part fits a session."""
    title = TITLE.match(notebook.cells[0].source)
    if not title:
        yield "no '# Exercises: name · 90 minutes · 24 points' and 'In class: exercises 1, 2 and 3 (30 minutes)' on top"
        return
    minutes, points, given = {}, {}, {}
    number = 0
    for cell in notebook.cells:
        if heading := HEADING.search(cell.source if cell.cell_type == "markdown" else ""):
            number = int(heading[1])
            minutes[number], points[number], given[number] = int(heading[2]), int(heading[3]), 0
        if number:
            given[number] += cell.metadata.get("nbgrader", {}).get("points", 0)
    if given != points:
        yield f"the headings promise {points} points, the tests and written answers give {given}"
    if (total := (sum(minutes.values()), sum(points.values()))) != (int(title[1]), int(title[2])):
        yield f"the headings add up to {total} minutes and points, the title says {title[1]} and {title[2]}"
    in_class = sum(minutes[int(number)] for number in re.findall(r"\d+", title[3]))
    if in_class != int(title[4]) or in_class > CLASS_MINUTES:
        yield f"in class: {in_class} minutes, the title says {title[4]}, a session has {CLASS_MINUTES}"


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


def wrong_answers_are_enough(rehearsal: Rehearsal, wrong_answers: Sequence[WrongAnswer]) -> Iterator[str]:
    """Three or more for each answer and kind, where there are any, and in each set one for a hidden test."""
    for name in rehearsal.answers:
        kinds = Counter(wrong.kind for wrong in wrong_answers if wrong.answer == name)
        if (count := kinds[COMMON]) < MIN_COMMON:
            yield f"{name} has {count} wrong answers as a student might give them, expected at least {MIN_COMMON}"
        for kind, count in kinds.items():
            if kind != COMMON and count < MIN_OF_A_KIND:
                yield f"{name} has {count} wrong answers of the kind '{kind}', expected none or {MIN_OF_A_KIND} or more"
    if not any(rehearsal.trial(wrong.answer, wrong.source).verdict == "hidden" for wrong in wrong_answers):
        yield "no wrong answer is nearly right: one should pass the visible tests and fail a hidden one"


def wrong_answer_is_caught(rehearsal: Rehearsal, wrong: WrongAnswer) -> Iterator[str]:
    """The first cell that fails is the intended test, by an assertion, with the intended words."""
    verdict, first, message = rehearsal.trial(wrong.answer, wrong.source)
    if verdict == "none":
        yield f"{wrong.name} passes all tests"
    elif first != wrong.caught_by:
        yield f"{wrong.name} is caught by {first} ({message}), expected {wrong.caught_by}"
    elif not message.startswith("AssertionError") or wrong.message not in message:
        yield f"{wrong.name} fails with {message!r}, expected an assertion that says {wrong.message!r}"


def table_of_catches(begins: str = "") -> Iterator[str]:
    """For each exercise, how many wrong answers the visible tests catch, the hidden ones and none; and false alarms."""
    yield "| exercises | answer | wrong | visible | hidden only | missed | right | false alarms |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    sums: Counter[int] = Counter()
    for path in sorted(ROOT.glob(f"solutions/{begins}*/*.ipynb")):
        notebook, folder = read(path), WRONG_ANSWERS / path.stem
        rehearsal, (variants, right) = Rehearsal(notebook), read_variants(folder, notebook)
        for name in rehearsal.answers:
            wrong = [answer for answer in [*read_wrong_answers(folder), *variants] if answer.answer == name]
            caught, passed = (
                Counter(rehearsal.trial(name, answer.source).verdict for answer in answers)
                for answers in (wrong, [answer for answer in right if answer.answer == name])
            )
            verdicts = [caught[verdict] for verdict in ("visible", "hidden", "none")]
            row = [sum(verdicts), *verdicts, passed.total(), passed.total() - passed["none"]]
            sums.update(dict(enumerate(row)))
            yield f"| {path.stem} | {name} | {' | '.join(map(str, row))} |"
    yield f"| all | | {' | '.join(str(sums[column]) for column in sorted(sums))} |"


if __name__ == "__main__":
    for line in table_of_catches(*sys.argv[1:]):
        sys.stdout.write(line + "\n")
