"""Judge a model after every epoch, keep the weights of the best, and say when to stop.

The best epoch has the highest accuracy on the held-out texts; of equals, the one with the lowest loss. That accuracy is
the largest of several, and so a little too good: for a fair one, measure on texts that chose nothing.
Taught in chapter 08.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.data.batches import Batch
from bertmini.metrics import accuracy


class Epoch(NamedTuple):
    """Held-out figures after an epoch; epoch 0 is before the first step."""

    number: int
    loss: float
    accuracy: float


class NoBetterError(Exception):
    """Training has stopped getting better."""


class BestEpoch:
    """Judges a model after each epoch and keeps the weights of the best."""

    def __init__(self, batches: Sequence[Batch], patience: int) -> None:
        """Keep the held-out batches; give up after `patience` epochs without a better one."""
        self.batches, self.patience = batches, patience
        self.epochs: list[Epoch] = []
        self.best: Epoch | None = None
        self.weights: dict[str, Tensor] = {}

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Measure held-out loss and accuracy. Raises `NoBetterError` when it is time to stop."""
        logits, actual = predict(model, self.batches)
        now = Epoch(len(self.epochs), float(F.cross_entropy(logits, actual)), accuracy(logits.argmax(1), actual))
        self.epochs.append(now)
        if now.number and (self.best is None or (now.accuracy, -now.loss) > (self.best.accuracy, -self.best.loss)):
            self.best = now
            self.weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        elif self.best is not None and now.number - self.best.number >= self.patience:
            raise NoBetterError
        return {"held_out_loss": now.loss, "held_out_accuracy": now.accuracy}


@torch.inference_mode()
def predict(model: nn.Module, batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
    """Give the logits (N, C) for all examples of some batches, and their class numbers (N,), on the CPU."""
    device = next(model.parameters()).device
    logits = [
        model(**{name: tensor.to(device) for name, tensor in batch.items() if name != "labels"}).logits
        for batch in batches
    ]
    return torch.cat(logits).float().cpu(), torch.cat([batch["labels"] for batch in batches])
