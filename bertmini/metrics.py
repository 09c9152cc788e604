"""How good are predictions? Counts of right and wrong, per class, and how far stated confidence can be trusted.

Everything on classes follows from one table, the *confusion matrix*: how often each true class was taken for each. A
division by nothing (the precision of a class that is never predicted) gives 0, as scikit-learn's reports do.

Shapes: N examples, C classes. Left out on purpose: ranking measures, weighted averages. Taught in chapter 08.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class ClassScores(NamedTuple):
    """One class: of those predicted how many are right, of those there are how many are found, and both in one."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    """How many examples truly are of this class."""


def accuracy(predicted: Tensor, actual: Tensor) -> float:
    """The share of examples (N,) whose class is predicted right.

    >>> accuracy(torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0]))
    0.75
    """
    _check(predicted, actual)
    return float((predicted == actual).double().mean())


def confusion_matrix(predicted: Tensor, actual: Tensor, classes: int) -> Tensor:
    """Count (C, C) how often each true class (row) was predicted as each class (column).

    Raises `ValueError` for shapes that differ, no examples, or a class number outside 0 to `classes` - 1.

    >>> confusion_matrix(torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0]), classes=2).tolist()
    [[2, 1], [0, 1]]
    """
    _check(predicted, actual)
    for name, numbers in (("predicted", predicted), ("actual", actual)):
        if int(numbers.min()) < 0 or int(numbers.max()) >= classes:
            raise ValueError(
                f"{name} classes run from {int(numbers.min())} to {int(numbers.max())}: expected 0 to {classes - 1}"
            )
    return torch.bincount(actual * classes + predicted, minlength=classes * classes).view(classes, classes)


def class_report(matrix: Tensor, labels: Sequence[str]) -> list[ClassScores]:
    """Precision, recall and F1 of every class of a confusion matrix (C, C). Raises `ValueError` for other labels.

    >>> [round(score.f1, 2) for score in class_report(torch.tensor([[2, 1], [0, 1]]), ["no", "yes"])]
    [0.8, 0.67]
    """
    if matrix.shape != (len(labels), len(labels)):
        raise ValueError(f"the matrix has the shape {tuple(matrix.shape)}, but there are {len(labels)} labels")
    right, there, said = (counts.tolist() for counts in (matrix.diagonal(), matrix.sum(1), matrix.sum(0)))
    return [
        ClassScores(label, hits / max(claims, 1), hits / max(support, 1), 2 * hits / max(claims + support, 1), support)
        for label, hits, support, claims in zip(labels, right, there, said, strict=True)
    ]


def macro_f1(scores: Sequence[ClassScores]) -> float:
    """The mean F1 of the classes, each counting the same however rare it is."""
    return sum(score.f1 for score in scores) / len(scores)


def expected_calibration_error(probabilities: Tensor, actual: Tensor, *, bins: int = 10) -> float:
    """How far confidence is from accuracy, on average (Guo et al. 2017, "On calibration of modern neural networks").

    `probabilities` (N, C) rows sum to 1; an example's confidence is its largest. Examples fall into `bins` equal
    intervals of confidence; each interval's gap between mean confidence and accuracy counts by its share of examples.

    >>> sure = torch.tensor([[0.9, 0.1], [0.9, 0.1]])
    >>> round(expected_calibration_error(sure, torch.tensor([0, 1])), 2)
    0.4
    """
    if probabilities.ndim != 2 or bool((probabilities.sum(1) - 1).abs().max() > 1e-3):
        raise ValueError(f"probabilities {tuple(probabilities.shape)} must be (N, C) rows that sum to 1: apply softmax")
    confidence, predicted = probabilities.max(1)
    _check(predicted, actual)
    gaps = torch.zeros(bins, dtype=torch.float64, device=confidence.device)
    interval = (confidence * bins).ceil().long().clamp(1, bins) - 1  # (0, 0.1] is the first
    gaps.index_add_(0, interval, confidence.double() - (predicted == actual).double())
    return float(gaps.abs().sum()) / len(actual)


def _check(predicted: Tensor, actual: Tensor) -> None:
    if predicted.shape != actual.shape or predicted.ndim != 1 or not len(actual):
        raise ValueError(
            f"predicted has the shape {tuple(predicted.shape)} and actual {tuple(actual.shape)}: expected one class "
            "number per example in both, and at least one"
        )
