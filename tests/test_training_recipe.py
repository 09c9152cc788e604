import dataclasses
import math
from typing import Any

import pytest

from bertmini.training.recipe import Recipe


def test_learning_rate_is_the_peak_times_the_schedule() -> None:
    recipe = Recipe(steps=8, learning_rate=0.6, warmup=0.25)
    assert [recipe.learning_rate_at(step) for step in (1, 2, 3, 8)] == pytest.approx([0.2, 0.4, 0.6, 0.1])


def test_one_step_has_a_learning_rate() -> None:
    assert Recipe(steps=1, learning_rate=0.6, warmup=0.9).learning_rate_at(1) == 0.6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0: expected a whole number of at least 1"),
        ({"steps": 2.5}, "steps is 2.5"),
        ({"accumulation": 0}, "accumulation is 0"),
        ({"evaluate_every": 0}, "evaluate_every is 0"),
        ({"checkpoint_every": -1}, "checkpoint_every is -1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0: expected more than 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"max_grad_norm": -1.0}, "max_grad_norm is -1.0"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1"),
        ({"warmup": 1.0}, "warmup is 1.0: expected a share of the steps"),
        ({"warmup": 500}, "warmup is 500: expected a share of the steps"),
        ({"schedule": "step"}, "schedule is 'step': expected one of linear, cosine, one-cycle"),
        ({"precision": "fp16"}, "precision is 'fp16': expected one of float32, bf16, auto"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**{"steps": 10, "learning_rate": 0.1, **change})


def test_a_recipe_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe(steps=1, learning_rate=0.1).steps = 2  # type: ignore[misc]
