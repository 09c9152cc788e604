import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from training_toys import Toy

from bertmini.training.optim import (
    SCHEDULES,
    constant_schedule,
    cosine_schedule,
    linear_schedule,
    make_optimizer,
    one_cycle_schedule,
    parameter_groups,
    set_learning_rate,
)


def test_linear_schedule_by_hand() -> None:
    # 10 updates, 3 of them warming up: quarters up to 1, then sevenths down, the last one of them above 0.
    expected = [1 / 4, 2 / 4, 3 / 4, 1, 6 / 7, 5 / 7, 4 / 7, 3 / 7, 2 / 7, 1 / 7]
    assert [linear_schedule(step, 10, 3) for step in range(10)] == pytest.approx(expected)


def test_cosine_schedule_by_hand() -> None:
    # After two warm-up steps 4 are left: cos 0, 45, 90 and 135 degrees, moved into 0 ... 1.
    expected = [1 / 3, 2 / 3, 1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]
    assert [cosine_schedule(step, 6, 2) for step in range(6)] == pytest.approx(expected)


def test_one_cycle_schedule_by_hand() -> None:
    # Up from 1/25 over two half-way points, the peak at step 2, down to 1/250,000 at the last step.
    expected = [0.04, 0.52, 1, (1 + 4e-6) / 2, 4e-6]
    assert [one_cycle_schedule(step, 5, 2) for step in range(5)] == pytest.approx(expected)


@pytest.mark.parametrize(("steps", "warmup"), [(23, 6), (10, 2), (57, 13)])
def test_one_cycle_schedule_is_torchs(steps: int, warmup: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.1, total_steps=steps, pct_start=(warmup + 1) / steps, cycle_momentum=False
    )
    for step in range(steps):
        assert theirs.get_last_lr()[0] == pytest.approx(0.1 * one_cycle_schedule(step, steps, warmup))
        optimizer.step()
        if step < steps - 1:
            theirs.step()


def test_constant_schedule_by_hand() -> None:
    assert [constant_schedule(step, 6, 3) for step in range(6)] == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 1, 1])


@given(st.sampled_from(sorted(SCHEDULES.keys() - {"constant"})), st.integers(1, 200), st.data())
def test_schedules_peak_once_at_the_end_of_the_warm_up_and_waste_no_step(
    name: str, steps: int, data: st.DataObject
) -> None:
    warmup = data.draw(st.integers(0, steps - 1))
    factors = [SCHEDULES[name](step, steps, warmup) for step in range(steps)]
    assert factors[warmup] == 1
    assert min(factors) > 0
    assert factors[: warmup + 1] == sorted(factors[: warmup + 1])
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)
    assert factors.count(1) == 1


def test_biases_and_layer_norm_do_not_decay_and_embeddings_do() -> None:
    model = Toy()
    decayed, kept = parameter_groups(model, 0.01)
    assert decayed == {"params": [model.embedding.weight], "weight_decay": 0.01}  # tied: once
    assert kept == {"params": [model.norm.weight, model.norm.bias, model.decoder.bias], "weight_decay": 0.0}


def test_one_kernel_updates_all_parameters() -> None:
    assert make_optimizer(Toy()).defaults["fused"] is True


def test_frozen_parameters_are_left_out() -> None:
    model = Toy()
    model.embedding.weight.requires_grad = False
    assert [len(group["params"]) for group in make_optimizer(model).param_groups] == [0, 3]


def test_nothing_to_train_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to train"):
        make_optimizer(nn.Dropout())


def test_two_updates_by_the_formula() -> None:
    # Loshchilov and Hutter, 2019, algorithm 2, with bias correction, on one weight that decays.
    model = nn.Linear(1, 1, bias=False)
    weight = moment = square = 0.0
    with torch.no_grad():
        weight = model.weight.fill_(0.5).item()
    optimizer = make_optimizer(model, weight_decay=0.1, betas=(0.8, 0.9))
    for step, (gradient, rate) in enumerate([(2.0, 0.01), (-3.0, 0.03)], start=1):
        model.weight.grad = torch.tensor([[gradient]])
        set_learning_rate(optimizer, rate)
        optimizer.step()
        moment = 0.8 * moment + 0.2 * gradient
        square = 0.9 * square + 0.1 * gradient**2
        update = (moment / (1 - 0.8**step)) / (math.sqrt(square / (1 - 0.9**step)) + 1e-6)
        weight -= rate * (update + 0.1 * weight)
        assert model.weight.item() == pytest.approx(weight, rel=1e-6)
