"""What turns gradients into a better model: AdamW with two groups of parameters, and a learning rate that moves.

The optimiser is torch's AdamW (Loshchilov and Hutter, 2019, "Decoupled weight decay regularization", algorithm 2) with
BERT's settings (Devlin et al., 2019, appendix A.2: betas 0.9 and 0.999, weight decay 0.01; epsilon 1e-6 is in Google's
`optimization.py`). Google's own optimiser leaves Adam's bias correction out; torch's has it, which makes fine-tuning
on small sets steadier (Zhang et al., 2021, "Revisiting few-sample BERT fine-tuning", section 4).

A schedule is a plain function `(step, steps, warmup) -> factor`: `step` updates are done, `steps` are planned,
the first `warmup` of them warm up, and the next update's learning rate is the peak times the factor. Being a function
of the step it has no state: resuming needs nothing but the step.

`muon` has a newer optimiser, for the matrices inside the layers. Left out on purpose: LAMB, layer-wise learning rates,
Google's first update with a learning rate of exactly 0.

Taught in chapter 07.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from bertmini.training.muon import Muon, hidden_matrices

ADAM_EPSILON = 1e-6
ONE_CYCLE_START = 1 / 25  # of the peak; the defaults of torch.optim.lr_scheduler.OneCycleLR
ONE_CYCLE_END = ONE_CYCLE_START / 1e4


def linear_schedule(step: int, steps: int, warmup: int) -> float:
    """Straight up to the peak, straight down towards zero: BERT's own schedule (Devlin et al., 2019, appendix A.2).

    Neither the first nor the last update is wasted on a factor of 0.

    >>> [round(linear_schedule(step, 5, 1), 2) for step in range(5)]
    [0.5, 1.0, 0.75, 0.5, 0.25]
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return (steps - step) / (steps - warmup)


def cosine_schedule(step: int, steps: int, warmup: int) -> float:
    """Straight up to the peak, then half a cosine wave down (Loshchilov and Hutter, 2017, "SGDR", equation 5).

    >>> [round(cosine_schedule(step, 5, 1), 2) for step in range(5)]
    [0.5, 1.0, 0.85, 0.5, 0.15]
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return _half_wave(1.0, 0.0, (step - warmup) / (steps - warmup))


def one_cycle_schedule(step: int, steps: int, warmup: int) -> float:
    """Half a wave up from 1/25 of the peak, half a wave down to nearly 0 (Smith and Topin, 2018, "Super-convergence").

    Equal to torch's `OneCycleLR` with `pct_start = (warmup + 1) / steps`. The betas stay as they are.

    >>> [round(one_cycle_schedule(step, 5, 2), 2) for step in range(5)]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """
    if step < warmup:
        return _half_wave(ONE_CYCLE_START, 1.0, step / warmup)
    return _half_wave(1.0, ONE_CYCLE_END, (step - warmup) / max(steps - 1 - warmup, 1))


def constant_schedule(step: int, steps: int, warmup: int) -> float:  # noqa: ARG001 (all schedules are called alike)
    """Straight up to the peak, and there it stays: for a run that another one, with a falling rate, will go on from.

    >>> [round(constant_schedule(step, 5, 1), 2) for step in range(5)]
    [0.5, 1.0, 1.0, 1.0, 1.0]
    """
    return min(1.0, (step + 1) / (warmup + 1))


def _half_wave(start: float, end: float, share: float) -> float:
    """From `start` to `end` along half a cosine wave, `share` (0 to 1) of the way."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


SCHEDULES = {
    "linear": linear_schedule,
    "cosine": cosine_schedule,
    "one-cycle": one_cycle_schedule,
    "constant": constant_schedule,
}
OPTIMIZERS = ("adamw", "muon")


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The parameters that decay, and those that do not: biases and LayerNorm, all of which have one dimension.

    Google's code excludes the names `LayerNorm`, `layer_norm` and `bias` (google-research/bert,
    `optimization.py`, `exclude_from_weight_decay`); the number of dimensions says the same. As there, the three
    embedding tables decay.
    A parameter with two names (the tied decoder) comes once.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trained if parameter.ndim >= 2], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim < 2], "weight_decay": 0.0},
    ]


def make_optimizer(
    model: nn.Module,
    *,
    name: str = "adamw",
    weight_decay: float = 0.01,
    betas: tuple[float, float] = (0.9, 0.999),
) -> torch.optim.AdamW:
    """AdamW over `parameter_groups`; the learning rate is set before each step, by `set_learning_rate`.

    Fused (one kernel for all parameters instead of a dozen for each) on the CPU and on CUDA. With the name "muon",
    `hidden_matrices` go to `Muon` instead.

    Raises `ValueError` if the model has nothing to train, or the optimiser is unknown.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"optimizer is {name!r}: expected one of {', '.join(OPTIMIZERS)}")
    trained: list[Tensor] = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trained:
        raise ValueError(
            "the model has no parameter with requires_grad=True, so there is nothing to train: unfreeze some"
        )
    fused = all(parameter.device.type in ("cpu", "cuda") and parameter.is_floating_point() for parameter in trained)
    groups = parameter_groups(model, weight_decay)
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=ADAM_EPSILON, fused=fused)
    matrices = hidden_matrices(model)
    taken = {id(matrix) for matrix in matrices}
    rest = [
        group | {"params": [p for p in group["params"] if id(p) not in taken], "orthogonal": False} for group in groups
    ]
    together = [*rest, {"params": matrices, "weight_decay": weight_decay, "orthogonal": True}]
    return Muon(together, lr=0.0, betas=betas, eps=ADAM_EPSILON, fused=fused)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give every parameter group this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
