"""Fine-tune a pretrained BERT on labelled texts: a new head, everything trained, the best epoch kept.

After every epoch the model is judged on texts that it does not train on, see `bertmini.training.best_epoch`; training ends
early when some epochs in a row were no better.

The result is a Hugging Face checkpoint with the names of the classes in its config.json, beside the tokenizer, what was
asked and measured (finetune.json), and confusion.png. It is written when all is done, and whole.
Taught in chapter 08.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from bertmini.training.best_epoch import BestEpoch, Epoch, NoBetterError, predict
from bertmini.data.classification import classification_rows
from bertmini.data.batches import Batch, ExampleStream, batches_in_order, row_length
from bertmini.data.tables import LabelledText, label_names, read_labelled
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.files import whole_folder, write_atomically
from bertmini.metrics import confusion_matrix, expected_calibration_error
from bertmini.model.heads import BertForSequenceClassification
from bertmini.model.hub import match, read_config, read_tensors
from bertmini.training import Recipe, pick_device, train
from bertmini.viz.confusion import confusion_map
from bertmini.viz.style import save

LONGEST = 128  # tokens of a text, unless asked for more
WIDTH_TIMES_RATE = 0.04  # the wider the model, the smaller the steps: 5e-5 for BERT-base, 3e-4 for tiny


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """All that decides a fine-tuning's result; None is decided by the checkpoint, see `settle_wishes`."""

    checkpoint: Path
    train: Path
    eval: Path
    text_column: str = "text"
    pair_column: str | None = None
    label_column: str = "label"
    epochs: int = 5
    batch_size: int = 32
    learning_rate: float | None = None
    max_length: int | None = None
    dropout: float = 0.1
    patience: int = 2
    seed: int = 0
    from_scratch: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, naming the value."""
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; a rate lies in [0, 1)")


class Materials(NamedTuple):
    """Labelled texts to train on and to judge by, and what is worth saying about them."""

    labels: tuple[str, ...]
    stream: ExampleStream
    batches: list[Batch]
    notes: list[str]


class Finetuned(NamedTuple):
    """A finished fine-tuning: the model of the best epoch, how it got there, and what it takes for what."""

    model: BertForSequenceClassification
    wishes: Wishes
    epochs: list[Epoch]
    best: Epoch
    matrix: Tensor
    calibration_error: float
    notes: list[str]


def finetune(
    wishes: Wishes, folder: Path, *, device: str = "auto", threads: int | None = None, progress: bool = True
) -> Finetuned:
    """Do what `wishes` say and leave the model in `folder`, which must be new or empty.

    Ctrl-C ends the training; if an epoch is complete, the best one is kept as always. Raises `ValueError` for what the
    user can mend, `OSError` for a full disk, `FloatingPointError` for a diverged run; the folder is then not there.
    """
    place = pick_device(device)  # refuse what cannot be before anything is written
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} already holds something; choose another --out")
    if threads is not None:
        if threads < 1:
            raise ValueError(f"threads is {threads}; it must be at least 1")
        torch.set_num_threads(threads)
    tokenizer = WordPieceTokenizer.from_pretrained(wishes.checkpoint)
    wishes = settle_wishes(wishes)
    materials = prepare(wishes, tokenizer)
    model = build_classifier(wishes, materials.labels)
    recipe = make_recipe(wishes, materials.stream.batches_per_epoch)
    with whole_folder(folder) as aside:
        judge = BestEpoch(materials.batches, wishes.patience)
        try:
            train(model, materials.stream, recipe, device=place, evaluate=judge, progress=progress)
        except NoBetterError:
            materials.notes.append(f"stopped early: no better epoch among the last {wishes.patience}")
        except KeyboardInterrupt:
            if judge.best is None:
                raise
            materials.notes.append("stopped by Ctrl-C")
        result = conclude(model, judge, wishes, materials.notes)
        write(result, tokenizer, aside)
    return result


def settle_wishes(wishes: Wishes) -> Wishes:
    """Decide what was left open, by the checkpoint's sizes. Raises `ValueError` for texts too long for it."""
    config = read_config(wishes.checkpoint)
    limit = config.max_position_embeddings
    length = min(LONGEST, limit) if wishes.max_length is None else wishes.max_length
    if not 4 <= length <= limit:
        raise ValueError(f"max_length is {length}; this checkpoint takes 4 to {limit}")
    rate = wishes.learning_rate
    if rate is None:
        rate = float(f"{WIDTH_TIMES_RATE / config.hidden_size:.1e}")
    return replace(wishes, max_length=length, learning_rate=rate)


def prepare(wishes: Wishes, tokenizer: WordPieceTokenizer) -> Materials:
    """Read and encode both files. Raises `ValueError` naming file, line or label."""
    columns = {"text": wishes.text_column, "pair": wishes.pair_column, "label": wishes.label_column}
    known, new = (read_labelled(path, **columns) for path in (wishes.train, wishes.eval))  # type: ignore[arg-type]
    labels = label_names(known)
    if strange := sorted({example.label for example in new} - set(labels)):
        raise ValueError(
            f"{wishes.eval} has the label {strange[0]!r}, which {wishes.train} never has ({', '.join(labels[:10])}): "
            "what is never shown cannot be learned"
        )
    length = wishes.max_length or LONGEST
    rows, asked = (classification_rows(part, tokenizer, labels, max_length=length) for part in (known, new))
    stream = ExampleStream(rows, pad_id=tokenizer.pad_id, batch_size=wishes.batch_size, seed=wishes.seed)
    batches = batches_in_order(asked, pad_id=tokenizer.pad_id)
    return Materials(labels, stream, batches, make_notes(known, new, stream, length))


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


def build_classifier(wishes: Wishes, labels: tuple[str, ...]) -> BertForSequenceClassification:
    """Load the checkpoint's encoder under a new head, or, from scratch, only its sizes; weights from the seed."""
    config = replace(
        read_config(wishes.checkpoint, labels),
        hidden_dropout_prob=wishes.dropout,
        attention_probs_dropout_prob=wishes.dropout,
    )
    torch.manual_seed(wishes.seed)
    model = BertForSequenceClassification(config)
    if not wishes.from_scratch:
        model.load_state_dict(match(model.state_dict(), read_tensors(wishes.checkpoint), new_head=True))
    return model


def make_recipe(wishes: Wishes, batches_per_epoch: int) -> Recipe:
    """Say how to train: linear schedule with a tenth of warm-up, judged after every epoch."""
    return Recipe(
        steps=wishes.epochs * batches_per_epoch,
        learning_rate=math.nan if wishes.learning_rate is None else wishes.learning_rate,
        evaluate_every=batches_per_epoch,
        precision="auto",
    )


def conclude(model: BertForSequenceClassification, judge: BestEpoch, wishes: Wishes, notes: list[str]) -> Finetuned:
    """Go back to the best epoch and look at its predictions."""
    assert judge.best is not None
    model.load_state_dict(judge.weights)
    model.eval()
    logits, actual = predict(model, judge.batches)
    matrix = confusion_matrix(logits.argmax(1), actual, logits.shape[1])
    error = expected_calibration_error(logits.softmax(1), actual)
    return Finetuned(model, wishes, judge.epochs, judge.best, matrix, error, notes)


def write(result: Finetuned, tokenizer: WordPieceTokenizer, folder: Path) -> None:
    """Write model, tokenizer, record and confusion matrix."""
    result.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    wishes = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(result.wishes).items()}
    record = {
        "asked": wishes,
        "epochs": [epoch._asdict() for epoch in result.epochs],
        "best_epoch": result.best.number,
        "calibration_error": result.calibration_error,
        "confusion_matrix": result.matrix.tolist(),
    }
    write_atomically(folder / "finetune.json", json.dumps(record, indent=2) + "\n")
    title = f"Epoch {result.best.number}: {result.best.accuracy:.1%} right"
    save(confusion_map(result.matrix, result.model.config.labels, title=title), folder / "confusion.png")
