"""How to train, as one frozen record: what decides the weights, apart from the model and the data.

Taught in chapter 07.
"""

from dataclasses import dataclass

from bertmini.training.device import PRECISIONS
from bertmini.training.optim import OPTIMIZERS, SCHEDULES


@dataclass(frozen=True)
class Recipe:
    """One step is one update of the weights, from `accumulation` batches.

    `warmup` is a share of the steps (BERT's is 10,000 of a million: 0.01). `max_grad_norm` may be `math.inf`.
    `evaluate_every` and `checkpoint_every` count steps; None means at the end only. They may change on resuming.
    """

    steps: int
    learning_rate: float
    warmup: float = 0.1
    schedule: str = "linear"
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    optimizer: str = "adamw"
    max_grad_norm: float = 1.0
    accumulation: int = 1
    precision: str = "float32"
    evaluate_every: int | None = None
    checkpoint_every: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, before it has cost an hour."""
        for name in ("steps", "accumulation", "evaluate_every", "checkpoint_every"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} is {value!r}: expected a whole number of at least 1")
        for name in ("learning_rate", "max_grad_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected more than 0")
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay is {self.weight_decay!r}: expected at least 0 (BERT has 0.01)")
        if not 0 <= self.warmup < 1:
            raise ValueError(
                f"warmup is {self.warmup!r}: expected a share of the steps, from 0 to below 1, such as 0.1"
            )
        choices = {"schedule": tuple(SCHEDULES), "optimizer": OPTIMIZERS, "precision": PRECISIONS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected one of {', '.join(known)}")

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of update number `step`, counted from 1.

        >>> recipe = Recipe(steps=10, learning_rate=0.9, warmup=0.2)
        >>> [round(recipe.learning_rate_at(step), 4) for step in (1, 2, 3, 10)]
        [0.3, 0.6, 0.9, 0.1125]
        """
        return self.learning_rate * SCHEDULES[self.schedule](step - 1, self.steps, int(self.warmup * self.steps))
