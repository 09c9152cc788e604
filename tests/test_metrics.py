"""The figures by hand, and against brute force over random predictions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmini.metrics import (
    ClassScores,
    accuracy,
    class_report,
    confusion_matrix,
    expected_calibration_error,
    macro_f1,
    spearman,
)

PREDICTED = torch.tensor([0, 0, 1, 1, 1, 0, 2])
ACTUAL = torch.tensor([0, 1, 1, 1, 0, 0, 1])
LABELS = ["cold", "warm", "hot"]


def test_accuracy_by_hand() -> None:
    assert accuracy(PREDICTED, ACTUAL) == pytest.approx(4 / 7)


def test_confusion_matrix_by_hand() -> None:
    assert confusion_matrix(PREDICTED, ACTUAL, 3).tolist() == [[2, 1, 0], [1, 2, 1], [0, 0, 0]]


def test_class_report_by_hand() -> None:
    report = class_report(confusion_matrix(PREDICTED, ACTUAL, 3), LABELS)
    assert report[0] == ClassScores("cold", 2 / 3, 2 / 3, 2 / 3, 3)
    assert report[1] == ClassScores("warm", 2 / 3, 2 / 4, 4 / 7, 4)
    assert report[2] == ClassScores("hot", 0.0, 0.0, 0.0, 0)  # predicted once, never true
    assert macro_f1(report) == pytest.approx((2 / 3 + 4 / 7) / 3)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_report_equals_counting(outcomes: list[tuple[int, int]]) -> None:
    predicted, actual = (torch.tensor(numbers) for numbers in zip(*outcomes, strict=True))
    matrix = confusion_matrix(predicted, actual, 4)
    assert int(matrix.sum()) == len(outcomes)
    for number, scores in enumerate(class_report(matrix, ["a", "b", "c", "d"])):
        hits = sum(said == true == number for said, true in outcomes)
        claims = sum(said == number for said, _ in outcomes)
        there = sum(true == number for _, true in outcomes)
        assert scores.support == there
        assert scores.precision == pytest.approx(hits / claims if claims else 0)
        assert scores.recall == pytest.approx(hits / there if there else 0)
        both = scores.precision + scores.recall
        assert scores.f1 == pytest.approx(2 * scores.precision * scores.recall / both if both else 0)


def test_calibration_error_by_hand() -> None:
    sure = torch.tensor([[0.95, 0.05]] * 4 + [[0.35, 0.65]] * 4)  # half of the first are right, all of the second
    actual = torch.tensor([0, 0, 1, 1, 1, 1, 1, 1])
    assert expected_calibration_error(sure, actual) == pytest.approx(0.5 * (0.95 - 0.5) + 0.5 * (1 - 0.65), abs=1e-6)


def test_calibration_error_is_nothing_where_confidence_is_accuracy() -> None:
    probabilities = torch.tensor([[0.75, 0.25]] * 4)
    assert expected_calibration_error(probabilities, torch.tensor([0, 0, 0, 1])) == pytest.approx(0, abs=1e-7)


def test_gaps_of_one_interval_cancel_and_of_two_do_not() -> None:
    probabilities = torch.tensor([[0.72, 0.28], [0.78, 0.22]])
    actual = torch.tensor([0, 1])
    assert expected_calibration_error(probabilities, actual, bins=10) == pytest.approx(0.25, abs=1e-6)
    assert expected_calibration_error(probabilities, actual, bins=20) == pytest.approx((0.28 + 0.78) / 2, abs=1e-6)


def test_full_certainty_has_an_interval() -> None:
    assert expected_calibration_error(torch.eye(2), torch.tensor([0, 0])) == pytest.approx(0.5)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and actual \(1,\)"):
        accuracy(torch.tensor([0, 1]), torch.tensor([0]))
    with pytest.raises(ValueError, match="at least one"):
        accuracy(torch.tensor([]), torch.tensor([]))
    with pytest.raises(ValueError, match="predicted classes run from 0 to 2: expected 0 to 1"):
        confusion_matrix(PREDICTED, ACTUAL, 2)
    with pytest.raises(ValueError, match=r"shape \(2, 2\), but there are 3 labels"):
        class_report(torch.eye(2), LABELS)
    with pytest.raises(ValueError, match="apply softmax"):
        expected_calibration_error(torch.tensor([[2.0, -0.5]]), torch.tensor([0]))


def test_spearman_shares_ranks_of_equals_and_is_pearson_of_ranks() -> None:
    generator = torch.Generator().manual_seed(0)
    for size in (2, 5, 37):
        one, other = torch.randint(0, 9, (2, size), generator=generator).float()
        one[0], other[0], one[1], other[1] = 99.0, 99.0, -1.0, -1.0
        ranks = [
            torch.tensor([float((line < value).sum() + ((line == value).sum() - 1) / 2) for value in line])
            for line in (one, other)
        ]
        expected = float(torch.corrcoef(torch.stack(ranks))[0, 1])
        assert spearman(one, other) == pytest.approx(expected, abs=1e-6)
        assert spearman(one, -other) == pytest.approx(-expected, abs=1e-6)
        assert spearman(one, other**3) == pytest.approx(expected, abs=1e-6)  # only the order counts


def test_spearman_refuses_what_ranks_nothing() -> None:
    with pytest.raises(ValueError, match="the same"):
        spearman(torch.ones(3), torch.arange(3))
    with pytest.raises(ValueError, match="as many numbers"):
        spearman(torch.arange(3), torch.arange(4))
