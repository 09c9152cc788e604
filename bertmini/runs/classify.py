"""Fine-tuning a classifier: one class for each text, or pair of texts. Taught in chapter 09."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.data.batches import ExampleStream, batches_in_order, row_length
from bertmini.data.classification import classification_rows
from bertmini.data.tables import label_names, read_labelled
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.metrics import accuracy, confusion_matrix, expected_calibration_error
from bertmini.model.tasks import BertForSequenceClassification
from bertmini.runs.held_out import predict
from bertmini.runs.settings import LONGEST, FinetuningSettings
from bertmini.runs.tasks import Task, TaskData, note_leaks, refuse_unseen
from bertmini.viz.confusion import confusion_map
from bertmini.viz.style import Picture


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

    def record(self) -> dict[str, Any]:
        """What finetune.json says beside the epochs."""
        return {"calibration_error": self.calibration_error, "confusion_matrix": self.matrix.tolist()}

    def picture(self) -> Picture:
        """The best epoch's confusion matrix."""
        title = f"Epoch {self.best.number}: {self.best.accuracy:.1%} right"
        return confusion_map(self.matrix, self.model.config.labels, title=title)


def prepare(settings: FinetuningSettings, tokenizer: WordPieceTokenizer) -> TaskData:
    """Read and encode both tables. Raises `ValueError` naming file, line or label."""
    columns = {"text": settings.text_column, "pair": settings.pair_column, "label": settings.label_column}
    known, new = (read_labelled(path, **columns) for path in (settings.train, settings.eval))  # type: ignore[arg-type]
    labels = label_names(known)
    refuse_unseen(settings, labels, {example.label for example in new})
    length = settings.max_length or LONGEST
    rows, asked = (classification_rows(part, tokenizer, labels, max_length=length) for part in (known, new))
    stream = ExampleStream(rows, pad_id=tokenizer.pad_id, batch_size=settings.batch_size, seed=settings.seed)
    notes = note_leaks("texts", *([example[:2] for example in part] for part in (known, new)))
    if full := sum(row_length(row) == length for row in rows):
        notes.append(f"{full} of {len(known)} training texts fill all {length} tokens; longer ones were cut")
    return TaskData(labels, stream, batches_in_order(asked, pad_id=tokenizer.pad_id), notes)


def measure(model: nn.Module, data: TaskData) -> dict[str, float]:
    """Judge a classifier by its loss and by the share of texts whose class it gets right."""
    logits, actual = predict(model, data.batches)
    return {
        "held_out_loss": float(F.cross_entropy(logits, actual)),
        "held_out_accuracy": accuracy(logits.argmax(1), actual),
    }


def report(
    model: BertForSequenceClassification,
    figures: Sequence[Mapping[str, float]],
    best: int,
    settings: FinetuningSettings,
    data: TaskData,
) -> Finetuned:
    """Look at the predictions of the best epoch, which the model holds."""
    epochs = [Epoch(number, each["held_out_loss"], each["held_out_accuracy"]) for number, each in enumerate(figures)]
    logits, actual = predict(model, data.batches)
    matrix = confusion_matrix(logits.argmax(1), actual, logits.shape[1])
    error = expected_calibration_error(logits.softmax(1), actual)
    return Finetuned(model, settings, epochs, epochs[best], matrix, error, data.notes)


CLASSIFICATION = Task(
    name="classification",
    help="one class for each text, or pair of texts",
    noun="classifier",
    settings=FinetuningSettings,
    model=BertForSequenceClassification,
    prepare=prepare,
    measure=measure,
    ranked_by={"held_out_accuracy": "highest", "held_out_loss": "lowest"},
    report=report,
)
