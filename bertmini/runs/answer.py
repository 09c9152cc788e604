"""Fine-tuning a reader, and asking one: which words of a passage answer a question, or that none do.

A reader says "no answer" where its best span does not beat the null answer by more than a threshold. That is chosen on
the held-out questions and kept in finetune.json, where `answer_from` finds it again.

To search many passages, BM25 picks those that share the question's words and the reader reads only these. Its margins
are compared across passages: each says how far an answer lies above having none. Taught in chapter 10.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from bertmini.answer_scores import AnswerScores, answer_scores, best_threshold
from bertmini.data.answers import Candidate, Reading, Window, answer_windows, read_spans
from bertmini.data.batches import Batch, ExampleStream, batches_in_order
from bertmini.data.corpora.sources import TextCorpus
from bertmini.data.squad import Question, read_squad
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.files import read_json
from bertmini.metrics import confusion_matrix
from bertmini.model.losses import mean_cross_entropy
from bertmini.model.tasks import BertForQuestionAnswering
from bertmini.runs.opened import open_tokenizer
from bertmini.runs.settings import LONGEST, AnsweringSettings
from bertmini.runs.tasks import Task, TaskData, note_leaks
from bertmini.search import BM25
from bertmini.viz.confusion import confusion_map
from bertmini.viz.style import Picture

PORTION = 1 << 20  # characters of a text that are taken at once


class ReaderEpoch(NamedTuple):
    """Held-out figures after an epoch: mean loss of a window, exact match and F1 at the best threshold."""

    number: int
    loss: float
    exact: float
    f1: float


class FinetunedReader(NamedTuple):
    """A finished fine-tuning: the model of the best epoch, how it got there, and when it answers."""

    model: BertForQuestionAnswering
    settings: AnsweringSettings
    epochs: list[ReaderEpoch]
    best: ReaderEpoch
    scores: AnswerScores
    threshold: float
    """How far a span must score above the null answer; the best for the held-out questions."""
    matrix: Tensor
    """How many questions without (row 0) and with an answer (row 1) were left open (column 0) or answered (1)."""
    notes: list[str]

    def record(self) -> dict[str, Any]:
        """What finetune.json says beside the epochs."""
        return {"threshold": self.threshold, "scores": self.scores._asdict(), "answered": self.matrix.tolist()}

    def picture(self) -> Picture:
        """Which questions were answered, with and without an answer in the passage."""
        title = f"Epoch {self.best.number}: exact match {self.best.exact:.1%}, F1 {self.best.f1:.1%}"
        return confusion_map(self.matrix, ("no answer", "an answer"), title=title)


# ---- asking a reader ----


class Found(NamedTuple):
    """A passage that was read: where it stands among all, the best span in it, and whether that beats the threshold."""

    passage: int
    answer: Candidate
    margin: float
    convincing: bool


@torch.inference_mode()
def window_logits(model: nn.Module, batches: Sequence[Batch]) -> list[tuple[Tensor, Tensor]]:
    """Start and end logits (S,) of each window, on the CPU, padding included."""
    device = next(model.parameters()).device
    logits: list[tuple[Tensor, Tensor]] = []
    for batch in batches:
        inputs = {name: tensor.to(device) for name, tensor in batch.items() if not name.endswith("_positions")}
        output = model(**inputs)
        logits += zip(output.start_logits.float().cpu(), output.end_logits.float().cpu(), strict=True)
    return logits


def read_answers(
    model: BertForQuestionAnswering,
    tokenizer: WordPieceTokenizer,
    questions: Sequence[Question],
    *,
    max_length: int | None = None,
    stride: int | None = None,
    n_best: int = 5,
) -> list[Reading]:
    """Read each question's passage: its best spans and the score of there being none.

    `max_length` tokens are read at once (None: as many as the model takes, at most 128); a long passage's next window
    begins `stride` pieces later (None: a quarter of them). Raises `ValueError` as `answer_windows` does.
    """
    length = max_length or min(LONGEST, model.config.max_position_embeddings)
    windows = answer_windows(questions, tokenizer, max_length=length, stride=stride or length // 4)
    logits = window_logits(model.eval(), batches_of(windows, tokenizer))
    return read_spans(windows, logits, questions, n_best=n_best)


def answer_from(checkpoint: str | Path, question: str, passages: Sequence[str], *, read: int = 5) -> list[Found]:
    """Ask a checkpoint: the best answer in each of the `read` passages that BM25 finds, the most convincing first.

    Raises `ValueError` for a checkpoint that is no reader, and for passages without a word.
    """
    try:
        model = BertForQuestionAnswering.from_pretrained(checkpoint)
    except ValueError as error:
        if "qa_outputs" not in str(error):
            raise
        raise ValueError(
            f"{checkpoint} is no reader (it has no qa_outputs); `finetune questions` makes one of it"
        ) from error
    tokenizer = open_tokenizer(checkpoint, model.config)
    chosen = BM25(passages).search(question, k=read)
    readings = read_answers(model, tokenizer, [Question(str(place), question, passages[place]) for place in chosen])
    threshold = threshold_of(Path(checkpoint))
    found = [
        Found(place, reading.candidates[0], reading.margin, reading.margin > threshold)
        for place, reading in zip(chosen, readings, strict=True)
        if reading.candidates
    ]
    return sorted(found, key=lambda one: -one.margin)


def threshold_of(folder: Path) -> float:
    """The threshold that a fine-tuning found; 0 for a checkpoint that keeps none, such as somebody else's."""
    record = folder / "finetune.json"
    return float(read_json(record).get("threshold", 0.0)) if record.is_file() else 0.0


def read_passages(path: str | Path) -> list[str]:
    """The documents of a file or a folder, each as one passage. Raises `ValueError` as `TextCorpus` does."""
    corpus, passages, position = TextCorpus(path), list[str](), None
    while True:
        portion, position = corpus.read(position, PORTION)
        passages += [" ".join(document) for document in portion]
        if position is None:
            return passages


# ---- teaching one ----


def batches_of(windows: Sequence[Window], tokenizer: WordPieceTokenizer) -> list[Batch]:
    """Lay windows out in batches, in their order."""
    return batches_in_order([window.row for window in windows], pad_id=tokenizer.pad_id)


def prepare(settings: AnsweringSettings, tokenizer: WordPieceTokenizer) -> TaskData:
    """Read both files and cut their passages into windows. Raises `ValueError` naming file, place or question."""
    known, new = (read_squad(path) for path in (settings.train, settings.eval))
    length = settings.max_length or LONGEST
    stride = settings.stride or length // 4
    shown, asked = (answer_windows(part, tokenizer, max_length=length, stride=stride) for part in (known, new))
    notes = note_leaks("questions", *([(one.question, one.passage) for one in part] for part in (known, new)))
    if len(shown) > len(known):
        notes.append(f"{len(known)} training questions are read through {len(shown)} windows of {length} tokens")
    whole = {window.question for window in shown if window.row["start_positions"]}
    if lost := sum(bool(question.answers) and i not in whole for i, question in enumerate(known)):
        notes.append(f"{lost} training answers fit no window whole and are taught as absent: take a shorter stride")
    rows = [window.row for window in shown]
    stream = ExampleStream(rows, pad_id=tokenizer.pad_id, batch_size=settings.batch_size, seed=settings.seed)
    return TaskData(("start", "end"), stream, batches_of(asked, tokenizer), notes, (new, asked))


class Judged(NamedTuple):
    """Answers to the held-out questions, at the threshold that suits them best."""

    loss: float
    said: list[str]
    golds: list[list[str]]
    threshold: float


def judge(model: nn.Module, data: TaskData) -> Judged:
    """Let a model answer the held-out questions."""
    questions, windows = data.truth
    logits = window_logits(model, data.batches)
    losses = [
        mean_cross_entropy(scores[None], torch.tensor([window.row[name]]))
        for window, pair in zip(windows, logits, strict=True)
        for scores, name in zip(pair, ("start_positions", "end_positions"), strict=True)
    ]
    readings = read_spans(windows, logits, questions)
    golds = [[gold.text for gold in question.answers] for question in questions]
    margins, spans = [one.margin for one in readings], [one.answer(-float("inf")) for one in readings]
    threshold = best_threshold(margins, spans, golds)
    return Judged(float(torch.stack(losses).mean()), [one.answer(threshold) for one in readings], golds, threshold)


def measure(model: nn.Module, data: TaskData) -> dict[str, float]:
    """Judge a reader by the loss of its windows and by how well it answers."""
    judged = judge(model, data)
    scores = answer_scores(judged.said, judged.golds)
    return {"held_out_loss": judged.loss, "held_out_exact": scores.exact, "held_out_f1": scores.f1}


def report(
    model: BertForQuestionAnswering,
    figures: Sequence[Mapping[str, float]],
    best: int,
    settings: AnsweringSettings,
    data: TaskData,
) -> FinetunedReader:
    """Look at what the best epoch answers; the model holds its weights."""
    epochs = [ReaderEpoch(number, *(each[name] for name in FIGURES)) for number, each in enumerate(figures)]
    judged = judge(model, data)
    answered, there = (torch.tensor([bool(one) for one in each]).long() for each in (judged.said, judged.golds))
    return FinetunedReader(
        model,
        settings,
        epochs,
        epochs[best],
        answer_scores(judged.said, judged.golds),
        judged.threshold,
        confusion_matrix(answered, there, 2),
        data.notes,
    )


FIGURES = ("held_out_loss", "held_out_exact", "held_out_f1")
QUESTIONS = Task(
    name="questions",
    help="the words of a passage that answer a question, or that none do",
    noun="reader",
    settings=AnsweringSettings,
    model=BertForQuestionAnswering,
    prepare=prepare,
    measure=measure,
    ranked_by={"held_out_f1": "highest", "held_out_loss": "lowest"},
    report=report,
)
