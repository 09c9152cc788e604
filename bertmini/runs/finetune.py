"""Fine-tune a pretrained BERT on a task: a new head, everything trained, the best epoch kept.

After every epoch the model is judged on texts that it does not train on, see `bertmini.training.best_epoch`; training
ends early when some epochs in a row were no better. What differs from task to task is in `bertmini.runs.tasks`.

The result is a Hugging Face checkpoint with the names of the classes in its config.json, beside the tokenizer and what
was asked and measured (finetune.json). Model and tokenizer are written as soon as training has ended, and whole: what
comes after cannot cost them. Taught in chapter 08.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, overload

import torch
from torch import nn

from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.files import write_atomically
from bertmini.model.pretrained import read_config
from bertmini.runs.answer import QUESTIONS, FinetunedReader
from bertmini.runs.classify import CLASSIFICATION, Finetuned
from bertmini.runs.folders import filled_at_once, own_folder, strangers
from bertmini.runs.match import MATCHING, FinetunedMatcher
from bertmini.runs.opened import open_tokenizer
from bertmini.runs.settings import (
    AnsweringSettings,
    FinetuningSettings,
    MatchingSettings,
    TaggingSettings,
    TuningSettings,
    settle,
)
from bertmini.runs.tag import TAGGING, FinetunedTagger
from bertmini.runs.tasks import Result, Task, TaskData
from bertmini.training.best_epoch import BestEpoch
from bertmini.training.device import pick_device
from bertmini.training.interrupts import interrupts_wait
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe
from bertmini.viz.style import save

TASKS = (CLASSIFICATION, TAGGING, QUESTIONS, MATCHING)


@overload
def finetune(
    settings: FinetuningSettings, folder: Path, *, device: str = "auto", progress: bool = True
) -> Finetuned: ...
@overload
def finetune(
    settings: TaggingSettings, folder: Path, *, device: str = "auto", progress: bool = True
) -> FinetunedTagger: ...
@overload
def finetune(
    settings: AnsweringSettings, folder: Path, *, device: str = "auto", progress: bool = True
) -> FinetunedReader: ...
@overload
def finetune(
    settings: MatchingSettings, folder: Path, *, device: str = "auto", progress: bool = True
) -> FinetunedMatcher: ...
def finetune(settings: Any, folder: Path, *, device: str = "auto", progress: bool = True) -> Any:
    """Do what `settings` say, which are of one task, and leave the model in `folder`, which must be new or empty.

    Ctrl-C ends the training; if an epoch is complete, the best one is kept as always. Raises `ValueError` for what the
    user can mend, `OSError` for a full disk, `FloatingPointError` for a diverged run; the folder is then not there,
    unless the error says that the trained model is. Where the folder has been filled meanwhile, the model is kept in
    one of its own, and the error says where.
    """
    task = next(task for task in TASKS if isinstance(settings, task.settings))
    place = pick_device(device)  # refuse what cannot be before anything is written
    with own_folder(folder):
        if found := strangers(folder):
            raise ValueError(f"{folder} already holds something ({found[0]}); choose another --out")
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        tokenizer = open_tokenizer(settings.checkpoint)
        settings = settle(settings)
        data = prepare(settings, tokenizer, task)
        model = build_classifier(settings, data.labels, task.model)
        judge = train_best(model, data, settings, place, task, progress=progress)
        with interrupts_wait(), filled_at_once(folder) as aside:
            model.save_pretrained(aside)
            tokenizer.save_pretrained(aside)
        with model_is_safe(folder):
            result = report(model, judge, settings, data, task)
            write_record(result, folder)
    return result


def prepare(settings: TuningSettings, tokenizer: WordPieceTokenizer, task: Task = CLASSIFICATION) -> TaskData:
    """Read and encode both files. Raises `ValueError` naming file, line or label."""
    for path in (settings.train, settings.eval):
        if path.exists() and not path.is_file():  # a pipe would let us wait, and can be read only once
            raise ValueError(f"{path} is no file; write the examples to one")
    return task.prepare(settings, tokenizer)


def train_best(
    model: nn.Module,
    data: TaskData,
    settings: TuningSettings,
    device: torch.device,
    task: Task,
    *,
    progress: bool,
) -> BestEpoch:
    """Train, with a linear schedule and a tenth of warm-up, and leave in the model the weights of the best epoch.

    Adds to the notes why training ended early, if it did.
    """

    assert settings.learning_rate is not None
    recipe = Recipe(
        steps=settings.epochs * data.stream.batches_per_epoch,
        learning_rate=settings.learning_rate,
        evaluate_every=data.stream.batches_per_epoch,
        precision="auto",
    )
    judge = BestEpoch(lambda model: task.measure(model, data), task.ranked_by, patience=settings.patience)
    try:
        train(model, data.stream, recipe, device=device, evaluate=judge, enough=judge.enough, progress=progress)
        if len(judge.epochs) <= settings.epochs:
            data.notes.append(f"stopped early: no better epoch among the last {settings.patience}")
    except KeyboardInterrupt:
        if judge.best is None:
            raise
        data.notes.append("stopped by Ctrl-C")
    model.load_state_dict(judge.weights)
    model.eval()
    return judge


def build_classifier(settings: TuningSettings, labels: tuple[str, ...], model: type[Any] = CLASSIFICATION.model) -> Any:
    """Load the checkpoint's encoder under a new head, or, from scratch, only its sizes; weights from the seed."""
    otherwise: dict[str, Any] = {
        "labels": labels,
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.dropout,
    }
    torch.manual_seed(settings.seed)
    if settings.from_scratch:
        return model(read_config(settings.checkpoint, **otherwise))
    return model.from_pretrained(settings.checkpoint, new_head=True, **otherwise)


def report(model: Any, judge: BestEpoch, settings: TuningSettings, data: TaskData, task: Task) -> Result:
    """Look at the predictions of the best epoch, which the model holds."""
    assert judge.best is not None
    return task.report(model, judge.epochs, judge.best, settings, data)


def write_record(result: Result, folder: Path) -> None:
    """Write what was asked and what was measured, finetune.json."""
    asked = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(result.settings).items()}
    record = {
        "asked": asked,
        "epochs": [epoch._asdict() for epoch in result.epochs],
        "best_epoch": result.best.number,
        **result.record(),
    }
    write_atomically(folder / "finetune.json", json.dumps(record, indent=2) + "\n")


def save_report(result: Result, path: Path) -> None:
    """Draw what the best epoch's report shows."""
    save(result.picture(), path)


@contextmanager
def model_is_safe(folder: Path) -> Iterator[None]:
    """Add to an error from here on that the trained model is in `folder` all the same."""
    try:
        yield
    except (ValueError, TypeError, OSError, RuntimeError, MemoryError, KeyboardInterrupt) as error:
        error.add_note(f"the trained model is whole in {folder}")
        raise
