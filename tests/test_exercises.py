"""The exercises are generated from the model answers, their tests catch what they should, and the class loop works."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Container
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.exercise_checks import (
    HEADING,
    TITLE,
    WRONG_ANSWERS,
    Rehearsal,
    RightAnswer,
    Trial,
    WrongAnswer,
    exercises_are_complete,
    failures,
    grade_id,
    is_answer,
    is_test,
    minutes_and_points_agree,
    parse_wrong_answer,
    read_variants,
    read_wrong_answers,
    with_answer,
    wrong_answer_is_caught,
    wrong_answers_are_enough,
)
from tests.made_up import text
from tests.made_up_exercises import NAME, SOLUTIONS
from tests.made_up_exercises import WRONG_ANSWERS as MADE_UP_WRONG_ANSWERS
from tools.notebooks import ROOT, kernel_environment, read, write

PATHS = sorted(ROOT.glob("solutions/*/*.ipynb"))
every_set = pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
VARIANTS = {path: read_variants(WRONG_ANSWERS / path.stem, read(path)) for path in PATHS}
WRONG = [(p, wrong) for p in PATHS for wrong in [*read_wrong_answers(WRONG_ANSWERS / p.stem), *VARIANTS[p][0]]]
RIGHT = [(path, right) for path in PATHS for right in VARIANTS[path][1]]
MIN_RIGHT_ANSWERS = 2
TEACHING = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
MADE_UP_WRONG = [parse_wrong_answer(Path(name).stem, source) for name, source in MADE_UP_WRONG_ANSWERS.items()]
LOOPED = PATHS[:1]  # the loop starts a kernel for each student; the rest are covered by the tests above it


def nbgrader(folder: Path, *arguments: str) -> None:
    """Run an nbgrader command in a course's folder."""
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install -e '.[teach]'")
    command = [sys.executable, "-m", "nbgrader", *arguments]
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it calls alembic by name
    environment = kernel_environment() | {"PATH": programs}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@cache
def rehearsal(path: Path) -> Rehearsal:
    """A set whose model answers have run; each trial has a namespace of its own."""
    return Rehearsal(read(path))


def new_course(folder: Path) -> Path:
    """A folder with the project's settings for nbgrader."""
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "solutions").mkdir()
    return folder


def files_below(folder: Path) -> dict[str, bytes]:
    """The content of every notebook below a folder, by relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.ipynb"))}


# ------------------------------------------------------------------------------------------------- the real ones


def test_exercises_are_generated_from_solutions(tmp_path: Path) -> None:
    course = new_course(tmp_path)
    if PATHS:
        shutil.copytree(ROOT / "solutions", course / "solutions", dirs_exist_ok=True)
        nbgrader(course, "generate_assignment", "--assignment=*", "--no-db", "--force")
    assert files_below(ROOT / "exercises") == files_below(course / "exercises"), "run `make exercises`"


@every_set
def test_model_answers_pass(path: Path) -> None:
    assert rehearsal(path).model_failures == {}


@every_set
def test_exercises_are_complete(path: Path) -> None:
    assert list(exercises_are_complete(read(path))) == []


@every_set
def test_wrong_answers_are_enough(path: Path) -> None:
    wrong_answers = [wrong for belongs_to, wrong in WRONG if belongs_to == path]
    assert list(wrong_answers_are_enough(rehearsal(path), wrong_answers)) == []


@pytest.mark.parametrize(("path", "wrong"), WRONG, ids=[f"{path.stem}-{wrong.name}" for path, wrong in WRONG])
def test_wrong_answer_is_caught(path: Path, wrong: WrongAnswer) -> None:
    assert list(wrong_answer_is_caught(rehearsal(path), wrong)) == []


@pytest.mark.parametrize(("path", "right"), RIGHT, ids=[f"{path.stem}-{right.name}" for path, right in RIGHT])
def test_right_answer_passes(path: Path, right: RightAnswer) -> None:
    assert rehearsal(path).trial(right.answer, right.source) == Trial("none")


@every_set
def test_right_answers_are_enough(path: Path) -> None:
    answers = [right.answer for right in VARIANTS[path][1]]
    few = {grade_id(cell) for cell in read(path).cells if is_answer(cell)} - {
        answer for answer in answers if answers.count(answer) >= MIN_RIGHT_ANSWERS
    }
    assert few == set()


@every_set
def test_minutes_and_points_agree(path: Path) -> None:
    assert list(minutes_and_points_agree(read(path))) == []


def test_teaching_names_the_same_minutes_and_points() -> None:
    """The table of all sets, and each chapter's own table of exercises."""
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| ([\d, and]+) \|$", TEACHING, re.MULTILINE)
    titles = {path.stem: TITLE.match(read(path).cells[0].source) for path in PATHS}
    assert rows == [(name, title[1], title[2], title[3]) for name, title in titles.items() if title]
    for path in PATHS:
        headings = [HEADING.search(cell.source) for cell in read(path).cells if cell.cell_type == "markdown"]
        minutes = [(heading[1], heading[2]) for heading in headings if heading]
        (section,) = re.findall(rf"^## Chapter {path.stem[:2]}, .*?(?=^## |\Z)", TEACHING, re.MULTILINE | re.DOTALL)
        told = re.findall(r"^\| (\d+) [^|]+ \| (\d+) \| [^|]+ \|$", section, re.MULTILINE)
        assert told == minutes, path.stem
    assert "| 30 | Exercises, alone:" in TEACHING


def test_wrong_answers_belong_to_exercises() -> None:
    folders = {path.name for path in WRONG_ANSWERS.iterdir() if path.is_dir() and any(path.glob("*.[pt]*"))}
    assert folders <= {path.stem for path in PATHS}


# ------------------------------------------------------------------------------------------------ the class loop


def submissions(solutions: NotebookNode, copy: NotebookNode, nearly: WrongAnswer) -> dict[str, NotebookNode]:
    """What five students hand in, made from the copy that they were given."""
    right = nbformat.from_dict(copy)
    answers = {grade_id(cell): cell.source for cell in solutions.cells if is_answer(cell)}
    for cell in right.cells:
        cell.source = answers.get(grade_id(cell), cell.source) if is_answer(cell) else cell.source
    tampered = nbformat.from_dict(copy)
    for cell in tampered.cells:
        if is_test(cell):
            cell.source = "pass"
        if grade_id(cell) == "setup":
            cell.source += "\n\n\ndef close(*_):\n    return True\n\n\nsame = close"
    nearly_right = with_answer(right, nearly.answer, nearly.source)
    deleted = nbformat.from_dict(right)
    deleted.cells = [cell for cell in deleted.cells if not is_test(cell)]
    return {
        "right": right,
        "nearly_right": nearly_right,
        "untouched": copy,
        "tampered": tampered,
        "deleted": deleted,
    }


def scores(course: Path, name: str, student: str, tests: Container[str]) -> dict[str, tuple[float, float]]:
    """A student's points by test, as (given, possible); written answers wait for the teacher."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        graded = [grade for notebook in gradebook.find_submission(name, student).notebooks for grade in notebook.grades]
        return {grade.name: (grade.auto_score, grade.max_score) for grade in graded if grade.name in tests}


@pytest.mark.parametrize("path", [None, *LOOPED], ids=[NAME, *(path.stem for path in LOOPED)])
def test_class_loop(path: Path | None, tmp_path: Path) -> None:
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install -e '.[teach]'")
    name = path.stem if path else NAME
    solutions = read(path) if path else SOLUTIONS
    wrong_answers = read_wrong_answers(WRONG_ANSWERS / name) if path else MADE_UP_WRONG
    tried = rehearsal(path) if path else Rehearsal(SOLUTIONS)
    nearly = next(wrong for wrong in wrong_answers if tried.trial(wrong.answer, wrong.source).verdict == "hidden")
    course = new_course(tmp_path)
    (course / "solutions" / name).mkdir()
    write(solutions, course / "solutions" / name / f"{name}.ipynb")

    nbgrader(course, "generate_assignment", name)
    copy = read(course / "exercises" / name / f"{name}.ipynb")
    for student, notebook in submissions(solutions, copy, nearly).items():
        folder = course / "submitted" / student / name
        folder.mkdir(parents=True)
        write(notebook, folder / f"{name}.ipynb")
    nbgrader(course, "autograde", name)
    nbgrader(course, "generate_feedback", name)

    tests = {grade_id(cell): float(cell.metadata["nbgrader"]["points"]) for cell in solutions.cells if is_test(cell)}
    assert scores(course, name, "right", tests) == {test: (points, points) for test, points in tests.items()}
    assert scores(course, name, "nearly_right", tests)[nearly.caught_by] == (0, tests[nearly.caught_by])
    assert scores(course, name, "untouched", tests) == {test: (0, points) for test, points in tests.items()}
    assert scores(course, name, "deleted", tests) == scores(course, name, "right", tests)
    assert scores(course, name, "tampered", tests) == scores(course, name, "untouched", tests)
    feedback = course / "feedback" / "nearly_right" / name / f"{name}.html"
    assert nearly.message in feedback.read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------------- the checks are checked


def changed(grade: str, old: str, new: str) -> NotebookNode:
    """The made-up exercises with a text in one cell replaced."""
    (cell,) = (cell for cell in SOLUTIONS.cells if grade_id(cell) == grade)
    assert old in cell.source
    return with_answer(SOLUTIONS, grade, cell.source.replace(old, new))


def three_exercises() -> NotebookNode:
    notebook = nbformat.from_dict(SOLUTIONS)
    notebook.cells.append(text("## 3. Another · hard · 9 minutes · 1 points · practises counting"))
    return notebook


def test_sound_exercises_have_no_complaints() -> None:
    assert failures(SOLUTIONS) == {}
    assert list(exercises_are_complete(three_exercises())) == []
    assert list(minutes_and_points_agree(SOLUTIONS)) == []
    tried = Rehearsal(SOLUTIONS)
    assert tried.model_failures == {}
    assert list(wrong_answers_are_enough(tried, MADE_UP_WRONG)) == []
    assert [list(wrong_answer_is_caught(tried, wrong)) for wrong in MADE_UP_WRONG] == [[], []]
    assert [tried.trial(wrong.answer, wrong.source).verdict for wrong in MADE_UP_WRONG] == ["visible", "hidden"]


@pytest.mark.parametrize(
    ("grade", "old", "new", "complaint"),
    [
        ("mean", "### BEGIN SOLUTION", "", "mean has no ### BEGIN SOLUTION ... ### END SOLUTION"),
        ("test-mean", "### BEGIN HIDDEN TESTS", "", "mean has no hidden test"),
        (
            "test-mean",
            ', "the mean of nothing should be 0.0"',
            "",
            "test-mean has an assert without a message: assert mean([]) == 0.0",
        ),
        (
            "test-mean",
            'assert same(mean([1, 2, 6]), 3), "the mean of 1, 2, 6 is 3: divide the sum by how many there are"\n',
            "",
            "mean has no visible test",
        ),
    ],
)
def test_incomplete_exercises_are_seen(grade: str, old: str, new: str, complaint: str) -> None:
    notebook = changed(grade, old, new)
    notebook.cells.append(three_exercises().cells[-1])
    assert complaint in list(exercises_are_complete(notebook))


def test_missing_headings_are_seen() -> None:
    assert list(exercises_are_complete(SOLUTIONS)) == [
        "2 exercises with a heading '## 1. Title · easy · 5 minutes · 3 points · practises ...', expected 3-6"
    ]


def test_given_cells_that_are_not_locked_are_seen() -> None:
    notebook = three_exercises()
    (cell,) = (cell for cell in notebook.cells if grade_id(cell) == "setup")
    cell.metadata["nbgrader"]["locked"] = False
    assert list(exercises_are_complete(notebook)) == ["code cell setup is given and not locked"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("5 minutes · 5 points", "6 minutes · 5 points", "the headings add up to (5, 5) minutes and points, the title"),
        ("2 points", "3 points", "the headings promise {1: 3, 2: 3} points, the tests and written answers give"),
        ("(5 minutes)", "(4 minutes)", "in class: 5 minutes, the title says 4, a session has 30"),
        ("In class", "At home", "no '# Exercises: name"),
    ],
)
def test_minutes_and_points_that_disagree_are_seen(old: str, new: str, complaint: str) -> None:
    notebook = nbformat.from_dict(SOLUTIONS)
    notebook.cells[0].source = notebook.cells[0].source.replace(old, new)
    assert next(minutes_and_points_agree(notebook)).startswith(complaint)


def test_spoiled_names_do_not_reach_the_next_trial() -> None:
    tried = Rehearsal(SOLUTIONS)
    spoiling = "same = lambda *_: True\n\n\ndef mean(numbers):\n    return 0.0"
    assert tried.trial("mean", spoiling).verdict == "none"  # it forges its own marks, which TEACHING.md does not deny
    assert tried.trial("mean", "def mean(numbers):\n    return 1.0").verdict == "visible"


def test_variants_are_read(tmp_path: Path) -> None:
    table = 'name = "n"\nkind = "k"\nwhy = "w"\nanswer = "mean"\nmessage = "m"\nreplace = [["sum(", "max("]]\n'
    (tmp_path / "variants.toml").write_text(f"[[wrong]]\n{table}[[right]]\n{table.replace('max', 'min')}")
    (wrong,), (right,) = read_variants(tmp_path, SOLUTIONS)
    assert (wrong.caught_by, wrong.kind) == ("test-mean", "k")
    assert "return max(numbers)" in wrong.source
    assert "return min(numbers)" in right.source
    (tmp_path / "variants.toml").write_text(f"[[wrong]]\n{table.replace('sum(', 'product(')}")
    with pytest.raises(ValueError, match=r"n: 'product\(' stands 0 times in the answer, expected once"):
        read_variants(tmp_path, SOLUTIONS)


def test_weak_tests_are_seen() -> None:
    fixed_divisor, empty_forgotten = MADE_UP_WRONG
    weak = changed("test-mean", "assert mean([]) == 0.0", "assert True")
    assert list(wrong_answer_is_caught(Rehearsal(weak), empty_forgotten)) == ["mean__empty_forgotten passes all tests"]
    mute = changed("test-mean", "divide the sum by how many there are", "try again")
    (complaint,) = wrong_answer_is_caught(Rehearsal(mute), fixed_divisor)
    assert complaint.endswith("expected an assertion that says 'divide the sum by how many there are'")
    crash = fixed_divisor._replace(source="def mean(numbers):\n    return totals")
    (complaint,) = wrong_answer_is_caught(Rehearsal(SOLUTIONS), crash)
    assert "NameError" in complaint
    elsewhere = fixed_divisor._replace(caught_by="test-median")
    (complaint,) = wrong_answer_is_caught(Rehearsal(SOLUTIONS), elsewhere)
    assert complaint.startswith("mean__fixed_divisor is caught by test-mean")


def test_too_few_wrong_answers_are_seen() -> None:
    alone = [MADE_UP_WRONG[0], MADE_UP_WRONG[0]._replace(kind="shortcut")]
    assert list(wrong_answers_are_enough(Rehearsal(SOLUTIONS), alone)) == [
        "mean has 1 wrong answers as a student might give them, expected at least 2",
        "mean has 1 wrong answers of the kind 'shortcut', expected none or 3 or more",
        "no wrong answer is nearly right: one should pass the visible tests and fail a hidden one",
    ]


def test_wrong_answer_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "mean__fixed_divisor.py").write_text(MADE_UP_WRONG_ANSWERS["mean__fixed_divisor.py"])
    (wrong,) = read_wrong_answers(tmp_path)
    assert wrong == WrongAnswer(
        name="mean__fixed_divisor",
        why="Divides by the two of another example.",
        answer="mean",
        caught_by="test-mean",
        message="divide the sum by how many there are",
        source="def mean(numbers):\n    return sum(numbers) / 2",
    )
    with pytest.raises(ValueError, match=r"no_fields: the docstring has the fields \[\]"):
        parse_wrong_answer("no_fields", '"""Nothing."""')
