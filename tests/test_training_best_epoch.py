"""The judge of the best epoch knows nothing but named figures."""

import pytest
import torch
from torch import nn

from bertmini.training.best_epoch import BestEpoch

RANKED_BY = {"right": "highest", "loss": "lowest"}


def judged(script: list[tuple[float, float]], patience: int, ranked_by: object = RANKED_BY) -> tuple[BestEpoch, bool]:
    """Judge epochs with these figures, until it is enough; the weight is the number of the epoch."""
    model = nn.Linear(1, 1)
    figures = iter(script)
    judge = BestEpoch(
        lambda _: dict(zip(("right", "loss"), next(figures), strict=True)),
        ranked_by,  # type: ignore[arg-type]
        patience=patience,
    )
    for number in range(len(script)):
        with torch.no_grad():
            model.weight.fill_(number)
        judge(model)
        if judge.enough():
            return judge, True
    return judge, False


def test_the_best_epoch_is_kept_and_the_next_figure_decides_between_equals() -> None:
    judge, stopped = judged([(1.0, 0.1), (0.5, 0.8), (0.75, 0.9), (0.75, 0.4), (0.5, 0.3)], patience=2)
    assert not stopped
    assert judge.best == 3  # not epoch 0, which is before training
    assert judge.weights["weight"].item() == 3


def test_the_lowest_can_be_the_best() -> None:
    judge, _ = judged([(0.0, 0.1), (0.9, 0.8), (0.1, 0.3), (0.5, 0.5)], patience=9, ranked_by={"loss": "lowest"})
    assert judge.best == 2
    assert judge.weights["weight"].item() == 2


def test_patience_counts_epochs_since_the_best() -> None:
    judge, stopped = judged([(0.5, 1.0), (0.75, 1.0), (0.5, 1.0), (0.5, 1.0), (1.0, 1.0)], patience=2)
    assert stopped
    assert [epoch["right"] for epoch in judge.epochs] == [0.5, 0.75, 0.5, 0.5]
    assert judge.best == 1


def test_the_kept_weights_are_a_copy() -> None:
    model = nn.Linear(1, 1)
    judge = BestEpoch(lambda _: {"loss": 1.0}, {"loss": "lowest"}, patience=3)
    judge(model)
    judge(model)
    kept = judge.weights["weight"].clone()
    with torch.no_grad():
        model.weight += 1
    assert torch.equal(judge.weights["weight"], kept)


def test_a_figure_that_is_not_measured_is_named() -> None:
    with pytest.raises(ValueError, match="nothing is called 'f1' among what is measured: right, loss"):
        judged([(0.5, 1.0)], patience=1, ranked_by={"f1": "highest"})
