"""Judge a model after every epoch, keep the weights of the best, and say when to stop.

What is measured, and which figure decides, is told; nothing here knows data or metrics. The best figure is the best of
several, and so a little too good: for a fair one, measure on examples that chose nothing. Taught in chapter 08.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from torch import Tensor, nn


class BestEpoch:
    """Measures a model after each epoch and keeps the weights of the best.

    Give it to `train` as `evaluate`, and its `enough` as `enough`. `epochs` are the figures so far: number 0 is before
    the first step, and never the best. `best` is the number of the best one, None as long as there is none.
    """

    def __init__(
        self,
        measure: Callable[[nn.Module], Mapping[str, float]],
        ranked_by: Mapping[str, Literal["highest", "lowest"]],
        *,
        patience: int,
    ) -> None:
        """Rank epochs by figures of `measure`: the first named decides, of equals the next.

        Training is enough after `patience` epochs without a better one.

        >>> judge = BestEpoch(lambda model: {"loss": 0.5}, {"loss": "lowest"}, patience=2)
        """
        self.measure, self.ranked_by, self.patience = measure, ranked_by, patience
        self.epochs: list[Mapping[str, float]] = []
        self.best: int | None = None
        self.weights: dict[str, Tensor] = {}

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        """Measure a model and keep its weights if it is the best; raises `ValueError` if a figure is missing."""
        figures = self.measure(model)
        if missing := self.ranked_by.keys() - figures.keys():
            raise ValueError(f"nothing is called {min(missing)!r} among what is measured: {', '.join(figures)}")
        self.epochs.append(figures)
        now = len(self.epochs) - 1
        if now and (self.best is None or self._rank(now) > self._rank(self.best)):
            self.best = now
            self.weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        return figures

    def enough(self) -> bool:
        """Say whether the last `patience` epochs brought nothing better."""
        return self.best is not None and len(self.epochs) - 1 - self.best >= self.patience

    def _rank(self, epoch: int) -> list[float]:
        figures = self.epochs[epoch]
        return [figures[name] if wanted == "highest" else -figures[name] for name, wanted in self.ranked_by.items()]
