"""A small set of exercises with wrong answers, for testing the class loop before and beside the real ones."""

from textwrap import dedent
from typing import Any

import nbformat
from nbformat import NotebookNode

from tests.made_up import code, made_up_notebook, text

NAME = "99_made_up"


def graded(cell: NotebookNode, grade_id: str, *, points: int | None = None, solution: bool = False) -> NotebookNode:
    """Mark a cell as nbgrader does: an answer, a test (points), or a written answer (both)."""
    mark: dict[str, Any] = {"grade": points is not None, "grade_id": grade_id, "locked": not solution}
    mark |= {"schema_version": 3, "solution": solution, "task": False}
    cell.metadata["nbgrader"] = nbformat.from_dict(mark | ({"points": points} if points is not None else {}))
    return cell


SOLUTIONS = made_up_notebook(
    text(
        "# Exercises: a made-up chapter · 5 minutes · 5 points\n\nIn class: exercises 1 and 2 (5 minutes).\n\n"
        "## 1. The mean · easy · 2 minutes · 2 points · practises loops"
    ),
    graded(code("def same(a, b):\n    return a == b"), "setup"),
    graded(
        code(
            dedent(
                '''\
                def mean(numbers):
                    """The arithmetic mean; 0.0 of nothing."""
                    ### BEGIN SOLUTION
                    return sum(numbers) / len(numbers) if numbers else 0.0
                    ### END SOLUTION'''
            )
        ),
        "mean",
        solution=True,
    ),
    graded(
        code(
            dedent(
                """\
                assert same(mean([1, 2, 6]), 3), "the mean of 1, 2, 6 is 3: divide the sum by how many there are"
                ### BEGIN HIDDEN TESTS
                assert mean([]) == 0.0, "the mean of nothing should be 0.0"
                ### END HIDDEN TESTS"""
            )
        ),
        "test-mean",
        points=2,
    ),
    text("## 2. In words · easy · 3 minutes · 3 points · practises saying it"),
    graded(text("A mean is a balance point."), "words", points=3, solution=True),
)

WRONG_ANSWERS = {
    "mean__fixed_divisor.py": dedent(
        '''\
        """Divides by the two of another example.

        answer: mean
        caught by: test-mean
        message: divide the sum by how many there are
        """


        def mean(numbers):
            return sum(numbers) / 2
        '''
    ),
    "mean__empty_forgotten.py": dedent(
        '''\
        """Right for every list but the empty one, for which it returns None.

        answer: mean
        caught by: test-mean
        message: the mean of nothing should be 0.0
        """


        def mean(numbers):
            if numbers:
                return sum(numbers) / len(numbers)
        '''
    ),
}
