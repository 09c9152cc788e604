import math
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from training_toys import Fixed, Output, Toy, ToyStream

from bertmini.training.accumulation import accumulate_gradients
from bertmini.training.checkpoint import checkpoint_folders
from bertmini.training.interrupts import interrupts_wait
from bertmini.training.log import History
from bertmini.training.loop import READ_EVERY, train
from bertmini.training.recipe import Recipe

CPU = torch.device("cpu")


def run(model: nn.Module, stream: Any, *, steps: int = 5, **options: Any) -> History:
    recipe = {name: options.pop(name) for name in list(options) if name in Recipe.__dataclass_fields__}
    return train(
        model, stream, Recipe(steps=steps, learning_rate=0.05, **recipe), device="cpu", progress=False, **options
    )


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one.keys() | other.keys())


class Ramp(nn.Module):
    """Its loss is weight times factor: the tests choose the gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 2))

    def forward(self, factor: Tensor) -> Output:
        return Output((self.weight * factor).mean())


def ramp(*factors: float) -> Fixed:
    return Fixed(*({"factor": torch.tensor([factor])} for factor in factors))


def test_overfits_one_batch() -> None:
    model = Toy(size=16, dropout=0.0)
    history = run(model, Fixed(next(ToyStream())), steps=150)
    steps, losses = history.column("loss")
    assert steps == list(range(1, 151))
    assert losses[0] > 1.5
    assert losses[-1] < 0.05
    assert not model.training


def test_a_step_is_clip_then_adam_by_the_schedule() -> None:
    model, twin = Toy(dropout=0.0), Toy(dropout=0.0)
    twin.load_state_dict(model.state_dict())
    batch = next(ToyStream())
    history = run(model, Fixed(batch), steps=3, max_grad_norm=0.1, weight_decay=0.0, warmup=0.0)
    oracle = torch.optim.AdamW(twin.parameters(), eps=1e-6, weight_decay=0.0, foreach=False)
    for step, factor in enumerate((1, 2 / 3, 1 / 3)):
        oracle.zero_grad()
        loss = twin(**batch).loss
        loss.backward()
        norm = math.sqrt(sum(parameter.grad.square().sum().item() for parameter in twin.parameters()))
        for parameter in twin.parameters():
            parameter.grad *= 0.1 / norm
        oracle.param_groups[0]["lr"] = 0.05 * factor
        oracle.step()
        row = history.rows[step]
        expected = [step + 1, loss.item(), 0.05 * factor, norm, 19]
        assert [row[key] for key in ("step", "loss", "learning_rate", "grad_norm", "tokens")] == pytest.approx(expected)
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_gradients_left_by_the_caller_do_not_count() -> None:
    model, twin = Toy(dropout=0.0), Toy(dropout=0.0)
    twin.load_state_dict(model.state_dict())
    model.eval()(**next(ToyStream(9))).loss.backward()
    run(model, ToyStream())
    run(twin, ToyStream())
    assert same(weights(model), weights(twin))


def test_the_callers_batch_is_never_changed() -> None:
    batch = next(ToyStream())
    before = {name: tensor.clone() for name, tensor in batch.items()}
    run(Toy(), Fixed(batch), precision="bf16", accumulation=2)
    assert same(batch, before)
    assert all(not tensor.requires_grad for tensor in batch.values())


def test_tokens_without_a_mask_are_all_of_them_and_packed_rows_count_above_zero() -> None:
    batch = next(ToyStream())
    plain = {"input_ids": batch["input_ids"], "labels": batch["labels"]}
    assert accumulate_gradients(Toy(), Fixed(plain), 1, device=CPU)[1].item() == 21
    batch["attention_mask"] = torch.tensor([[1, 1, 2, 2, 3, 0, 0]] * 3)
    assert accumulate_gradients(Toy(), Fixed(batch), 1, device=CPU)[1].item() == 15


def test_bf16_trains_in_bf16() -> None:
    seen: list[torch.dtype] = []

    class Spy(Toy):
        def forward(self, *arguments: Tensor, **named: Tensor) -> Output:
            seen.append((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
            return super().forward(*arguments, **named)

    history = run(Spy(size=16, dropout=0.0), Fixed(next(ToyStream())), steps=150, precision="bf16")
    assert set(seen) == {torch.bfloat16}
    assert history.rows[-1]["loss"] < 0.05
    assert run(Spy(), ToyStream(), steps=1).rows[0]["loss"] > 0
    assert seen[-1] is torch.float32


def test_evaluation_leaves_no_trace_and_sees_eval_mode() -> None:
    calls: list[tuple[bool, bool]] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        calls.append((model.training, torch.is_grad_enabled()))
        return {"held_out": float(torch.rand(())), "calls": len(calls)}

    models = [Toy(), Toy()]
    models[1].load_state_dict(models[0].state_dict())
    torch.manual_seed(3)
    run(models[0], ToyStream())
    torch.manual_seed(3)
    history = run(models[1], ToyStream(), evaluate=evaluate, evaluate_every=2)
    assert same(weights(models[0]), weights(models[1]))
    assert history.column("calls") == ([0, 2, 4, 5], [1, 2, 3, 4])
    assert set(calls) == {(False, False)}
    assert history.column("loss")[0] == [1, 2, 3, 4, 5]


def test_training_ends_when_it_is_enough_and_goes_on_where_it_was(tmp_path: Path) -> None:
    def evaluate(model: nn.Module) -> dict[str, float]:
        return {"held_out": 1.5}

    asked: list[int] = []

    def enough() -> bool:
        asked.append(len(asked))
        return len(asked) == 2

    models = [Toy(), Toy()]
    models[1].load_state_dict(models[0].state_dict())
    torch.manual_seed(3)
    run(models[0], ToyStream(), steps=7)
    torch.manual_seed(3)
    options = {"evaluate": evaluate, "evaluate_every": 2, "checkpoints": tmp_path}
    history = run(models[1], ToyStream(), steps=7, enough=enough, **options)
    assert history.column("loss")[0] == [1, 2, 3, 4]  # asked after steps 2 and 4, not before the first
    assert not models[1].training
    assert [path.name for path in checkpoint_folders(tmp_path)] == ["step-000004"]
    history = run(models[1], ToyStream(), steps=7, resume=True, **options)
    assert history.column("loss")[0] == [1, 2, 3, 4, 5, 6, 7]
    assert same(weights(models[0]), weights(models[1]))


def test_enough_without_evaluations_is_refused() -> None:
    with pytest.raises(ValueError, match="enough is asked after evaluations, and there are none"):
        run(Toy(), ToyStream(), enough=lambda: True)


@pytest.mark.parametrize("read_every", [1, 10])
def test_a_nan_loss_stops_and_names_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_every: int
) -> None:
    # On a GPU losses are read late: the poisoned step 5 must still not reach the checkpoint of step 6.
    monkeypatch.setitem(READ_EVERY, "cpu", read_every)
    model = Ramp()
    with pytest.raises(FloatingPointError, match=r"stopped at step 5: loss nan.*last good checkpoint is .*step-000004"):
        run(model, ramp(1, 2, 3, 4, math.nan), steps=9, checkpoint_every=2, checkpoints=tmp_path / "c", log=tmp_path)
    assert [path.name for path in checkpoint_folders(tmp_path / "c")] == ["step-000002", "step-000004"]
    logged = (tmp_path / "log.csv").read_text().splitlines()
    assert logged[5].startswith("5,nan,")


def test_an_infinite_gradient_of_a_finite_loss_stops(tmp_path: Path) -> None:
    class Root(Ramp):
        def forward(self, factor: Tensor) -> Output:
            return Output((self.weight * factor).abs().sqrt().mean())  # at 0 the slope is infinite

    with pytest.raises(FloatingPointError, match=r"step 1: loss 0.0, gradient norm nan.*checkpoint is none"):
        run(Root(), ramp(0.0), checkpoints=tmp_path / "c")
    assert checkpoint_folders(tmp_path / "c") == []


def test_weights_that_overflow_are_not_saved(tmp_path: Path) -> None:
    class Buried(Ramp):
        def forward(self, factor: Tensor) -> Output:
            return Output((self.weight * 0).sum() + factor.sum())  # loss and gradient stay finite whatever the weights

    model = Buried()
    with torch.no_grad():
        model.weight[0, 0] = 3e38
    recipe = Recipe(steps=3, learning_rate=10.0, weight_decay=1.0, warmup=0.0, checkpoint_every=1)  # decays to -9 times
    with pytest.raises(FloatingPointError, match=r"step 1: loss 1.0, gradient norm 0.0, weights not finite"):
        train(model, ramp(1), recipe, device="cpu", checkpoints=tmp_path / "c", progress=False)
    assert checkpoint_folders(tmp_path / "c") == []


def test_a_stream_that_ends_is_an_error() -> None:
    class Short(ToyStream):
        def __next__(self) -> dict[str, Tensor]:
            raise StopIteration

    with pytest.raises(ValueError, match="the stream has ended: training takes an endless one"):
        run(Toy(), Short())


class Interrupting(ToyStream):
    """Presses Ctrl-C while batch number `at` is read."""

    def __init__(self, at: int, times: int = 1) -> None:
        super().__init__()
        self.at, self.times, self.count = at, times, 0

    def __next__(self) -> dict[str, Tensor]:
        self.count += 1
        if self.count == self.at:
            for left in reversed(range(self.times)):
                handler = signal.getsignal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
                while left and signal.getsignal(signal.SIGINT) is handler:
                    pass  # two that are pending at once would count as one
        return super().__next__()


def test_ctrl_c_finishes_the_step_saves_and_the_run_goes_on_to_the_same_end(tmp_path: Path) -> None:
    models = [Toy(), Toy()]
    models[1].load_state_dict(models[0].state_dict())
    torch.manual_seed(3)
    run(models[0], ToyStream(), steps=6)
    torch.manual_seed(3)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=r"stopped after step 4; .*step-000004 is saved: resume to go on"):
        run(models[1], Interrupting(4), steps=6, checkpoints=tmp_path)
    assert signal.getsignal(signal.SIGINT) is handler
    history = run(models[1], ToyStream(), steps=6, checkpoints=tmp_path, resume=True)
    assert same(weights(models[0]), weights(models[1]))
    assert history.column("loss")[0] == [1, 2, 3, 4, 5, 6]


def test_ctrl_c_without_a_folder_says_that_nothing_is_saved() -> None:
    with pytest.raises(KeyboardInterrupt, match="stopped after step 2; nothing is saved"):
        run(Toy(), Interrupting(2))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_other_signals_that_end_a_program_save_too(name: str, tmp_path: Path) -> None:
    before = signal.getsignal(getattr(signal, name))

    class Ended(ToyStream):
        def __next__(self) -> dict[str, Tensor]:
            signal.raise_signal(getattr(signal, name))
            return super().__next__()

    with pytest.raises(KeyboardInterrupt, match=r"stopped after step 1; .*step-000001 is saved"):
        run(Toy(), Ended(), checkpoints=tmp_path)
    assert signal.getsignal(getattr(signal, name)) is before


def test_nohup_stays_in_force(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts_wait() as interrupted:
            signal.raise_signal(signal.SIGHUP)
        assert not interrupted.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("at", [1, 2])
def test_ctrl_c_during_an_evaluation_lets_it_end(at: int, tmp_path: Path) -> None:
    looks: list[int] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        looks.append(len(looks))
        if len(looks) == at:
            signal.raise_signal(signal.SIGINT)
        return {"held_out": 1.5}

    told = {
        1: "stopped before the first step; there is nothing to save",
        2: r"stopped after step 2; .*step-000002 is saved",
    }
    with pytest.raises(KeyboardInterrupt, match=told[at]):
        run(Toy(), ToyStream(), steps=3, evaluate=evaluate, evaluate_every=1, checkpoints=tmp_path)
    assert len(looks) == {1: 1, 2: 3}[at]  # the step that follows the evaluation is ended, too
    assert [path.name for path in checkpoint_folders(tmp_path)] == ["step-000002"] * (at - 1)


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        run(Toy(), Interrupting(2, times=2), checkpoints=tmp_path)
    assert str(caught.value) == ""
    assert checkpoint_folders(tmp_path) == []


def test_trains_outside_the_main_thread() -> None:
    histories: list[History] = []
    thread = threading.Thread(target=lambda: histories.append(run(Toy(), ToyStream())))
    thread.start()
    thread.join()
    assert len(histories[0].rows) == 5


def test_the_log_has_each_step_once_after_resuming(tmp_path: Path) -> None:
    def evaluate(model: nn.Module) -> dict[str, float]:
        return {"held_out": 1.5}

    options = {"log": tmp_path, "checkpoints": tmp_path / "c", "checkpoint_every": 2}
    with pytest.raises(KeyboardInterrupt):
        run(Toy(), Interrupting(5), steps=8, **options)
    log = tmp_path / "log.csv"
    log.write_text(log.read_text() + "6,1,1,1,1,1\n7,1,1,1,1,1\n")  # as if it had run on before it was killed
    history = run(Toy(), ToyStream(), steps=8, resume=True, evaluate=evaluate, evaluate_every=3, **options)
    head, *rows = log.read_text().splitlines()
    assert (
        head == "step,loss,learning_rate,grad_norm,tokens,seconds,held_out"
    )  # a column that came with the resumed run
    assert [row.split(",")[0] for row in rows] == list("12345678")
    assert [row.split(",")[6] for row in rows] == ["", "", "", "", "", "1.5", "", "1.5"]
    assert [float(row.split(",")[1]) for row in rows] == history.column("loss")[1]
    seconds = history.column("seconds")[1]
    assert seconds == sorted(seconds)


def test_the_log_can_be_followed_line_by_line(tmp_path: Path) -> None:
    lines: list[int] = []

    class Watching(ToyStream):
        def __next__(self) -> dict[str, Tensor]:
            lines.append(len((tmp_path / "log.csv").read_text().splitlines()))
            return super().__next__()

    run(Toy(), Watching(), steps=4, log=tmp_path)
    assert lines == [1, 2, 3, 4]


def test_seconds_are_those_of_training_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [50.0]

    class Slow(ToyStream):
        def __next__(self) -> dict[str, Tensor]:
            now[0] += 2
            return super().__next__()

    def evaluate(model: nn.Module) -> dict[str, float]:
        now[0] += 100
        return {"held_out": 1.5}

    monkeypatch.setattr("bertmini.training.log.time.perf_counter", lambda: now[0])
    options = {"evaluate": evaluate, "evaluate_every": 2, "checkpoints": tmp_path}
    history = run(Toy(), Slow(), steps=5, **options)
    assert history.column("seconds") == ([1, 2, 3, 4, 5], [2, 4, 6, 8, 10])


def test_unknown_columns_are_named() -> None:
    with pytest.raises(ValueError, match="no column 'accuracy'; it has grad_norm, learning_rate, loss"):
        run(Toy(), ToyStream()).column("accuracy")
    with pytest.raises(ValueError, match="it has no rows yet"):
        History().column("loss")
