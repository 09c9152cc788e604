"""The exercises are generated from the model answers, their tests catch what they should, and the class loop works."""

import os
import shutil
import subprocess
import sys
from collections.abc import Container
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.exercise_checks import (
    WRONG_ANSWERS,
    WrongAnswer,
    exercises_are_complete,
    failures,
    grade_id,
    is_answer,
    is_test,
    parse_wrong_answer,
    passes_visible_tests,
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
WRONG = [(path, wrong) for path in PATHS for wrong in read_wrong_answers(WRONG_ANSWERS / path.stem)]
MADE_UP_WRONG = [parse_wrong_answer(Path(name).stem, source) for name, source in MADE_UP_WRONG_ANSWERS.items()]
LOOPED = PATHS[:1]  # a loop starts five kernels and tests nbgrader; the tests above it cover every set


def nbgrader(folder: Path, *arguments: str) -> None:
    """Run an nbgrader command in a course's folder."""
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install -e '.[teach]'")
    command = [sys.executable, "-m", "nbgrader", *arguments]
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it calls alembic by name
    environment = kernel_environment() | {"PATH": programs}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
    assert failures(read(path)) == {}


@every_set
def test_exercises_are_complete(path: Path) -> None:
    assert list(exercises_are_complete(read(path))) == []


@every_set
def test_wrong_answers_are_enough(path: Path) -> None:
    assert list(wrong_answers_are_enough(read(path), read_wrong_answers(WRONG_ANSWERS / path.stem))) == []


@pytest.mark.parametrize(("path", "wrong"), WRONG, ids=[f"{path.stem}-{wrong.name}" for path, wrong in WRONG])
def test_wrong_answer_is_caught(path: Path, wrong: WrongAnswer) -> None:
    assert list(wrong_answer_is_caught(read(path), wrong)) == []


def test_wrong_answers_belong_to_exercises() -> None:
    folders = {path.name for path in WRONG_ANSWERS.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert folders <= {path.stem for path in PATHS}


# ------------------------------------------------------------------------------------------------ the class loop


def submissions(solutions: NotebookNode, copy: NotebookNode, nearly: WrongAnswer) -> dict[str, NotebookNode]:
    """What four students hand in, made from the copy that they were given."""
    right = nbformat.from_dict(copy)
    answers = {grade_id(cell): cell.source for cell in solutions.cells if is_answer(cell)}
    for cell in right.cells:
        cell.source = answers.get(grade_id(cell), cell.source) if is_answer(cell) else cell.source
    tampered = nbformat.from_dict(copy)
    for cell in tampered.cells:
        cell.source = "pass" if is_test(cell) else cell.source
    nearly_right = with_answer(right, nearly.answer, nearly.source)
    return {"right": right, "nearly_right": nearly_right, "untouched": copy, "tampered": tampered}


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
    nearly = next(wrong for wrong in wrong_answers if passes_visible_tests(solutions, wrong))
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
    notebook.cells.append(text("## 3. Another · hard · 9 minutes · practises counting"))
    return notebook


def test_sound_exercises_have_no_complaints() -> None:
    assert failures(SOLUTIONS) == {}
    assert list(exercises_are_complete(three_exercises())) == []
    assert list(wrong_answers_are_enough(SOLUTIONS, MADE_UP_WRONG)) == []
    assert [list(wrong_answer_is_caught(SOLUTIONS, wrong)) for wrong in MADE_UP_WRONG] == [[], []]


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
            'assert mean([1, 2, 6]) == 3, "the mean of 1, 2, 6 is 3: divide the sum by how many there are"\n',
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
        "2 exercises with a heading '## 1. Title · easy · 5 minutes · practises ...', expected 3-6"
    ]


def test_weak_tests_are_seen() -> None:
    fixed_divisor, empty_forgotten = MADE_UP_WRONG
    weak = changed("test-mean", "assert mean([]) == 0.0", "assert True")
    assert list(wrong_answer_is_caught(weak, empty_forgotten)) == ["mean__empty_forgotten passes all tests"]
    mute = changed("test-mean", "divide the sum by how many there are", "try again")
    (complaint,) = wrong_answer_is_caught(mute, fixed_divisor)
    assert complaint.endswith("expected an assertion that says 'divide the sum by how many there are'")
    crash = fixed_divisor._replace(source="def mean(numbers):\n    return totals")
    (complaint,) = wrong_answer_is_caught(SOLUTIONS, crash)
    assert "NameError" in complaint
    elsewhere = fixed_divisor._replace(caught_by="test-median")
    (complaint,) = wrong_answer_is_caught(SOLUTIONS, elsewhere)
    assert complaint.startswith("mean__fixed_divisor is caught by test-mean")


def test_too_few_wrong_answers_are_seen() -> None:
    assert list(wrong_answers_are_enough(SOLUTIONS, MADE_UP_WRONG[:1])) == [
        "mean has 1 wrong answers, expected at least 2",
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
