"""Fine-tune a pretrained BERT on labelled texts: a new head, everything trained, the best epoch kept.

After every epoch the model is judged on texts that it does not train on, see `bertmini.training.best_epoch`; training
ends early when some epochs in a row were no better.

The result is a Hugging Face checkpoint with the names of the classes in its config.json, beside the tokenizer and what
was asked and measured (finetune.json). Model and tokenizer are written as soon as training has ended, and whole: what
comes after cannot cost them. Taught in chapter 08.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.data.batches import Batch, ExampleStream, batches_in_order, row_length
from bertmini.data.classification import classification_rows
from bertmini.data.tables import LabelledText, label_names, look, read_labelled
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.files import write_atomically
from bertmini.metrics import accuracy, confusion_matrix, expected_calibration_error
from bertmini.model.pretrained import read_config
from bertmini.model.tasks import BertForSequenceClassification
from bertmini.runs.folders import filled_at_once, own_folder, strangers
from bertmini.runs.held_out import predict
from bertmini.runs.opened import open_tokenizer
from bertmini.runs.settings import LONGEST, FinetuningSettings, settle
from bertmini.training.best_epoch import BestEpoch
from bertmini.training.device import pick_device
from bertmini.training.interrupts import interrupts_wait
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe
from bertmini.viz.confusion import confusion_map
from bertmini.viz.style import save


class LabelledData(NamedTuple):
    """Labelled texts to train on and to judge by, and what is worth saying about them."""

    labels: tuple[str, ...]
    stream: ExampleStream
    batches: list[Batch]
    notes: list[str]


class Epoch(NamedTuple):
    """Held-out figures after an epoch; epoch 0 is before the first step."""

    number: int
    loss: float
    accuracy: float


class Finetuned(NamedTuple):
    """A finished fine-tuning: the model of the best epoch, how it got there, and what it takes for what."""

    model: BertForSequenceClassification
    settings: FinetuningSettings
    epochs: list[Epoch]
    best: Epoch
    matrix: Tensor
    calibration_error: float
    notes: list[str]


def finetune(settings: FinetuningSettings, folder: Path, *, device: str = "auto", progress: bool = True) -> Finetuned:
    """Do what `settings` say and leave the model in `folder`, which must be new or empty.

    Ctrl-C ends the training; if an epoch is complete, the best one is kept as always. Raises `ValueError` for what the
    user can mend, `OSError` for a full disk, `FloatingPointError` for a diverged run; the folder is then not there,
    unless the error says that the trained model is. Where the folder has been filled meanwhile, the model is kept in
    one of its own, and the error says where.
    """
    place = pick_device(device)  # refuse what cannot be before anything is written
    with own_folder(folder):
        if found := strangers(folder):
            raise ValueError(f"{folder} already holds something ({found[0]}); choose another --out")
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        tokenizer = open_tokenizer(settings.checkpoint)
        settings = settle(settings)
        data = prepare(settings, tokenizer)
        model = build_classifier(settings, data.labels)
        judge = train_best(model, data, settings, place, progress=progress)
        with interrupts_wait(), filled_at_once(folder) as aside:
            model.save_pretrained(aside)
            tokenizer.save_pretrained(aside)
        with model_is_safe(folder):
            result = report(model, judge, settings, data)
            write_record(result, folder)
    return result


def train_best(
    model: BertForSequenceClassification,
    data: LabelledData,
    settings: FinetuningSettings,
    device: torch.device,
    *,
    progress: bool,
) -> BestEpoch:
    """Train, with a linear schedule and a tenth of warm-up, and leave in the model the weights of the best epoch.

    Adds to the notes why training ended early, if it did.
    """

    def measure(model: nn.Module) -> dict[str, float]:
        logits, actual = predict(model, data.batches)
        return {
            "held_out_loss": float(F.cross_entropy(logits, actual)),
            "held_out_accuracy": accuracy(logits.argmax(1), actual),
        }

    assert settings.learning_rate is not None
    recipe = Recipe(
        steps=settings.epochs * data.stream.batches_per_epoch,
        learning_rate=settings.learning_rate,
        evaluate_every=data.stream.batches_per_epoch,
        precision="auto",
    )
    judge = BestEpoch(measure, {"held_out_accuracy": "highest", "held_out_loss": "lowest"}, patience=settings.patience)
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


def prepare(settings: FinetuningSettings, tokenizer: WordPieceTokenizer) -> LabelledData:
    """Read and encode both files. Raises `ValueError` naming file, line or label."""
    columns = {"text": settings.text_column, "pair": settings.pair_column, "label": settings.label_column}
    for path in (settings.train, settings.eval):
        if path.exists() and not path.is_file():  # a pipe would let us wait, and can be read only once
            raise ValueError(f"{path} is no file; write the examples to one")
    known, new = (read_labelled(path, **columns) for path in (settings.train, settings.eval))  # type: ignore[arg-type]
    labels = label_names(known)
    if strange := sorted({example.label for example in new} - set(labels)):
        if alike := [label for label in labels if look(label) == look(strange[0])]:
            raise ValueError(
                f"{settings.eval} has the label {strange[0]!a}, which looks like {alike[0]!a} of {settings.train}: "
                "write one of them everywhere"
            )
        raise ValueError(
            f"{settings.eval} has the label {strange[0]!r}, which {settings.train} never has "
            f"({', '.join(labels[:10])}): what is never shown cannot be learned"
        )
    length = settings.max_length or LONGEST
    rows, asked = (classification_rows(part, tokenizer, labels, max_length=length) for part in (known, new))
    stream = ExampleStream(rows, pad_id=tokenizer.pad_id, batch_size=settings.batch_size, seed=settings.seed)
    batches = batches_in_order(asked, pad_id=tokenizer.pad_id)
    return LabelledData(labels, stream, batches, make_notes(known, new, stream, length))


def make_notes(
    known: Sequence[LabelledText], new: Sequence[LabelledText], stream: ExampleStream, length: int
) -> list[str]:
    """Say what a careful reader would want to know about the data."""
    notes = []
    seen = {(text, pair) for text, pair, _ in known}
    if leaked := sum((text, pair) in seen for text, pair, _ in new):
        notes.append(f"{leaked} of {len(new)} evaluation texts also stand in the training file: the figures flatter")
    if full := sum(row_length(row) == length for row in stream.rows):
        notes.append(f"{full} of {len(known)} training texts fill all {length} tokens; longer ones were cut")
    return notes


def build_classifier(settings: FinetuningSettings, labels: tuple[str, ...]) -> BertForSequenceClassification:
    """Load the checkpoint's encoder under a new head, or, from scratch, only its sizes; weights from the seed."""
    otherwise: dict[str, Any] = {
        "labels": labels,
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.dropout,
    }
    torch.manual_seed(settings.seed)
    if settings.from_scratch:
        return BertForSequenceClassification(read_config(settings.checkpoint, **otherwise))
    return BertForSequenceClassification.from_pretrained(settings.checkpoint, new_head=True, **otherwise)


def report(
    model: BertForSequenceClassification, judge: BestEpoch, settings: FinetuningSettings, data: LabelledData
) -> Finetuned:
    """Look at the predictions of the best epoch, which the model holds."""
    assert judge.best is not None
    epochs = [
        Epoch(number, figures["held_out_loss"], figures["held_out_accuracy"])
        for number, figures in enumerate(judge.epochs)
    ]
    logits, actual = predict(model, data.batches)
    matrix = confusion_matrix(logits.argmax(1), actual, logits.shape[1])
    error = expected_calibration_error(logits.softmax(1), actual)
    return Finetuned(model, settings, epochs, epochs[judge.best], matrix, error, data.notes)


def write_record(result: Finetuned, folder: Path) -> None:
    """Write what was asked and what was measured, finetune.json."""
    asked = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(result.settings).items()}
    record = {
        "asked": asked,
        "epochs": [epoch._asdict() for epoch in result.epochs],
        "best_epoch": result.best.number,
        "calibration_error": result.calibration_error,
        "confusion_matrix": result.matrix.tolist(),
    }
    write_atomically(folder / "finetune.json", json.dumps(record, indent=2) + "\n")


def save_confusion(result: Finetuned, path: Path) -> None:
    """Draw the best epoch's confusion matrix."""
    title = f"Epoch {result.best.number}: {result.best.accuracy:.1%} right"
    save(confusion_map(result.matrix, result.model.config.labels, title=title), path)


@contextmanager
def model_is_safe(folder: Path) -> Iterator[None]:
    """Add to an error from here on that the trained model is in `folder` all the same."""
    try:
        yield
    except (ValueError, TypeError, OSError, RuntimeError, MemoryError, KeyboardInterrupt) as error:
        error.add_note(f"the trained model is whole in {folder}")
        raise
