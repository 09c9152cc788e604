"""One visible loop: zero, loss, backward, clip, step. Nothing in it knows what the model is or where batches come from.

The model is any module whose output has `.loss`, called `model(**batch)`; the stream is anything that gives batches
and can tell and take back its position. That is all that pretraining and every fine-tuning in the book need.

Bit for bit: on one machine, with one number of threads, a run stopped anywhere and resumed ends with the weights of one
that never stopped. On CUDA that holds as far as the kernels are deterministic; from one device to another it does not.

Taught in chapter 07.
"""

import math
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bertmini.training.accumulation import Stream, accumulate_gradients
from bertmini.training.checkpoint import (
    Checkpoint,
    checkpoint_folders,
    read_checkpoint,
    restore_checkpoint,
    save_checkpoint,
)
from bertmini.training.device import pick_device, use_bf16
from bertmini.training.interrupts import interrupts_wait
from bertmini.training.log import History, Journal
from bertmini.training.optim import make_optimizer, set_learning_rate
from bertmini.training.recipe import Recipe

READ_EVERY = {"cpu": 1, "cuda": 10, "mps": 10}  # steps between readings of the loss: a GPU makes us wait

Evaluate = Callable[[nn.Module], Mapping[str, float]]


def train(
    model: nn.Module,
    stream: Stream,
    recipe: Recipe,
    *,
    device: str | torch.device = "auto",
    evaluate: Evaluate | None = None,
    enough: Callable[[], bool] | None = None,
    log: str | Path | None = None,
    checkpoints: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> History:
    """Train the model in place; it is moved to the device and left there, in `eval` mode.

    `evaluate` gets the model in `eval` mode, without gradients, before the first step, whenever the recipe says, and
    after the last; what it draws at random leaves the training as it is. After each evaluation that follows a step
    `enough` is asked whether training should end there. `log` is a folder for `log.csv`, `checkpoints` one for
    checkpoints. With `resume` the run goes on from the newest of them; where there is none yet, it starts. Ctrl-C (or
    SIGTERM) ends the step, saves, and raises `KeyboardInterrupt`, which says so.

    Raises `ValueError` for a wrong argument, a damaged checkpoint, or one of another model or recipe;
    `FloatingPointError` for loss, gradient or weights that are not finite, naming step, loss and last good checkpoint;
    `OSError` for a full disk: the last checkpoint survives.
    """
    if enough is not None and evaluate is None:
        raise ValueError("enough is asked after evaluations, and there are none: pass evaluate, too")
    place = pick_device(device)
    bf16 = use_bf16(recipe.precision, place)
    model.to(place)
    optimizer = make_optimizer(model, name=recipe.optimizer, weight_decay=recipe.weight_decay, betas=recipe.betas)
    folder = Path(checkpoints) if checkpoints is not None else None
    history = _resume(folder, model, optimizer, stream, recipe) if resume else _begin(folder)
    if evaluate is not None and not history.rows:
        history.rows.append(_before_the_first_step(model, evaluate))
    done = int(history.rows[-1]["step"]) if history.rows else 0
    journal = Journal(history, recipe.steps, Path(log) if log is not None else None, progress=progress)

    model.train()
    with closing(journal), interrupts_wait() as interrupted:
        for step in range(done + 1, recipe.steps + 1):
            learning_rate = recipe.learning_rate_at(step)
            set_learning_rate(optimizer, learning_rate)
            optimizer.zero_grad()
            loss, tokens = accumulate_gradients(model, stream, recipe.accumulation, device=place, bf16=bf16)
            norm = nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
            with torch.autocast(place.type, dtype=torch.bfloat16, enabled=bf16):  # Muon multiplies matrices
                optimizer.step()
            journal.record(step, learning_rate, loss, norm, tokens)

            stop, over = interrupted.is_set(), False
            evaluating = evaluate is not None and _due(step, recipe.evaluate_every, recipe)
            saving = stop or _due(step, recipe.checkpoint_every, recipe)
            if evaluating or saving or _due(step, READ_EVERY[place.type], recipe):
                rows = journal.read()
                _stop_unless_finite(rows, model if saving or evaluating else None, journal, folder)
                if evaluate is not None and evaluating:
                    history.rows[-1].update(_evaluate(model, evaluate))
                    over = enough is not None and enough()
                if folder is not None and (saving or over):
                    state = {"recipe": asdict(recipe), "stream": stream.state_dict(), "history": history.rows}
                    save_checkpoint(folder, step, model, optimizer, state)
                journal.write()
                journal.restart_clock()
            if stop:
                raise KeyboardInterrupt(_goodbye(step, folder))
            if over:
                break
    model.eval()
    return history


def _begin(folder: Path | None) -> History:
    """A new run does not mix its checkpoints with those of another."""
    found = checkpoint_folders(folder) if folder is not None else []
    if found:
        raise ValueError(f"{folder} holds {found[-1].name} of an earlier run: resume it, or choose another folder")
    return History()


def _resume(
    folder: Path | None, model: nn.Module, optimizer: torch.optim.Optimizer, stream: Stream, recipe: Recipe
) -> History:
    """Put everything back as the newest checkpoint has it.

    A run has one recipe: with more steps, say, the schedule would have been another one from the first step on.
    """
    if folder is None:
        raise ValueError("resume=True needs the folder of the checkpoints to go on from: pass checkpoints=FOLDER")
    found = checkpoint_folders(folder)
    if not found:
        return History()
    checkpoint = read_checkpoint(found[-1])
    state = _checked_state(checkpoint)
    now = asdict(recipe) | {"betas": list(recipe.betas)}  # as JSON has it
    for name, value in now.items():
        before = state["recipe"].get(name)
        if name not in ("evaluate_every", "checkpoint_every") and before != value:
            raise ValueError(
                f"{found[-1]} was made with {name}={before!r}, the recipe has {value!r}: resume with the recipe as it "
                "was, or start a new run in another folder"
            )
    restore_checkpoint(checkpoint, model, optimizer)
    stream.load_state_dict(state["stream"])
    return History(state["history"])


def _checked_state(checkpoint: Checkpoint) -> dict[str, Any]:
    """The checkpoint's state, or `ValueError` if it is not what the loop writes."""
    state = checkpoint.state
    history = state.get("history")
    right = (
        isinstance(state.get("recipe"), dict)
        and isinstance(state.get("stream"), dict)
        and isinstance(history, list)
        and all(isinstance(row, dict) and all(type(value) in (int, float) for value in row.values()) for row in history)
        and [row.get("step") for row in history[-1:]] == [int(checkpoint.folder.name.removeprefix("step-"))]
        and all("step" in row for row in history)
    )
    if not right:
        raise ValueError(
            f"{checkpoint.folder / 'state.json'} is not what a training run writes: recipe, stream, and a history that "
            f"ends with the step of {checkpoint.folder.name}; delete {checkpoint.folder} and resume"
        )
    return state


def _evaluate(model: nn.Module, evaluate: Evaluate) -> dict[str, float]:
    """Evaluate and leave no trace: what is drawn at random here is drawn from a copy of the generators."""
    model.eval()
    devices = range(torch.cuda.device_count() if torch.cuda.is_initialized() else 0)  # type: ignore[no-untyped-call]
    with torch.no_grad(), torch.random.fork_rng(devices):
        figures = {name: float(value) for name, value in evaluate(model).items()}
    model.train()
    return figures


def _before_the_first_step(model: nn.Module, evaluate: Evaluate) -> dict[str, float]:
    """The row of the untrained model. Raises `KeyboardInterrupt` for a Ctrl-C meanwhile."""
    with interrupts_wait() as interrupted:
        row = {"step": 0, **_evaluate(model, evaluate)}
    if interrupted.is_set():
        raise KeyboardInterrupt("stopped before the first step; there is nothing to save")
    return row


def _due(step: int, every: int | None, recipe: Recipe) -> bool:
    return step == recipe.steps or (every is not None and step % every == 0)


def _stop_unless_finite(
    rows: list[dict[str, float]], model: nn.Module | None, journal: Journal, folder: Path | None
) -> None:
    """Look at losses and gradients since the last look and, before they are saved, at the weights themselves."""
    bad = next((row for row in rows if not (math.isfinite(row["loss"]) and math.isfinite(row["grad_norm"]))), None)
    finite = model is None or all(bool(parameter.isfinite().all()) for parameter in model.parameters())
    if bad is None and finite:
        return
    journal.write()
    row = bad or rows[-1]
    saved = checkpoint_folders(folder) if folder is not None else []
    raise FloatingPointError(
        f"training stopped at step {row['step']}: loss {row['loss']}, gradient norm {row['grad_norm']}, weights "
        f"{'finite' if finite else 'not finite'}. The last good checkpoint is {saved[-1] if saved else 'none'}. Usual "
        "causes: a learning rate too high, a warm-up too short, or a batch in which no token is scored"
    )


def _goodbye(step: int, folder: Path | None) -> str:
    if folder is None:
        return f"stopped after step {step}; nothing is saved, for there is no folder for checkpoints"
    return f"stopped after step {step}; {checkpoint_folders(folder)[-1]} is saved: resume to go on"
