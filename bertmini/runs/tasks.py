"""What a task is to a fine-tuning: which settings and which model it has, and a few plain functions.

`bertmini.runs.finetune` does what all tasks share: folders, training, the best epoch, the record. A task says how files
become rows, how a model is judged after an epoch, and what is worth reporting in the end. Taught in chapter 09.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from torch import nn

from bertmini.data.batches import Batch, ExampleStream
from bertmini.data.tables import look
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.runs.settings import TuningSettings
from bertmini.viz.style import Picture


class TaskData(NamedTuple):
    """Rows to train on and batches to judge by, and what is worth saying about them."""

    labels: tuple[str, ...]
    stream: ExampleStream
    batches: list[Batch]
    notes: list[str]
    truth: Sequence[Any] = ()
    """What the rows of the batches are judged by, where their labels do not say it all."""


class Result(Protocol):
    """What a report is made of: each task has a NamedTuple of its own with at least this."""

    @property
    def model(self) -> Any:
        """The model of the best epoch."""

    @property
    def settings(self) -> Any:
        """What was asked."""

    @property
    def epochs(self) -> Sequence[Any]:
        """Each epoch's figures, a NamedTuple with a `number`; epoch 0 is before the first step."""

    @property
    def best(self) -> Any:
        """The figures of the best epoch."""

    def record(self) -> dict[str, Any]:
        """What finetune.json says beside the epochs."""

    def picture(self) -> Picture:
        """The report at a glance."""


class Task(NamedTuple):
    """A task that a pretrained BERT can be taught."""

    name: str
    help: str
    noun: str  # what comes out
    settings: type[TuningSettings]
    model: type[Any]
    prepare: Callable[[Any, WordPieceTokenizer], TaskData]
    """Read and encode both files. Raises `ValueError` naming file, line or label."""
    measure: Callable[[nn.Module, TaskData], Mapping[str, float]]
    """Judge a model on the batches."""
    ranked_by: Mapping[str, Literal["highest", "lowest"]]
    """Which of these figures decides between two epochs; of equals, the next."""
    report: Callable[[Any, Sequence[Mapping[str, float]], int, Any, TaskData], Result]
    """Look closely at the best epoch's model: given it, the figures of all epochs, its number, settings and data."""
    shown: str = "Confusion matrix"
    """What the result's picture shows; its first word names the file."""


def refuse_unseen(settings: TuningSettings, known: Collection[str], new: Collection[str], what: str = "label") -> None:
    """Raise `ValueError` for the first of the evaluation file's labels that the training file does not have."""
    if strange := sorted(set(new) - set(known)):
        if alike := [label for label in known if look(label) == look(strange[0])]:
            raise ValueError(
                f"{settings.eval} has the {what} {strange[0]!a}, which looks like {alike[0]!a} of {settings.train}: "
                "write one of them everywhere"
            )
        raise ValueError(
            f"{settings.eval} has the {what} {strange[0]!r}, which {settings.train} never has "
            f"({', '.join(list(known)[:10])}): what is never shown cannot be learned"
        )


def note_leaks(what: str, known: Iterable[Hashable], new: Collection[Hashable]) -> list[str]:
    """Say how many of the evaluation file's texts also stand in the training file, if any."""
    seen = set(known)
    leaked = sum(text in seen for text in new)
    flatter = f"{leaked} of {len(new)} evaluation {what} also stand in the training file: the figures flatter"
    return [flatter] if leaked else []
