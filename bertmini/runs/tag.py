"""Fine-tuning a tagger, and using one: a tag for each word, read at the piece that speaks for it.

A word that was cut because its sentence is too long, or that leaves no piece, has the tag "O": it counts among the
words of every figure, so that a tagger is not better for having read less. Taught in chapter 09.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from bertmini.data.batches import Batch, ExampleStream, batches_in_order
from bertmini.data.conll import read_conll
from bertmini.data.tagging import Labelled, TaggedWords, tag_labels, tagging_rows, viterbi
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.metrics import ClassScores, accuracy, confusion_matrix, entities, entity_scores
from bertmini.model.tasks import BertForTokenClassification
from bertmini.runs.settings import LONGEST, TaggingSettings
from bertmini.runs.tasks import Task, TaskData, note_leaks, refuse_unseen
from bertmini.viz.confusion import confusion_map
from bertmini.viz.style import Picture


class TaggerEpoch(NamedTuple):
    """Held-out figures after an epoch: mean loss of a word, share of words right, F1 of whole entities."""

    number: int
    loss: float
    accuracy: float
    f1: float


class FinetunedTagger(NamedTuple):
    """A finished fine-tuning: the model of the best epoch, how it got there, and which words it takes for what."""

    model: BertForTokenClassification
    settings: TaggingSettings
    epochs: list[TaggerEpoch]
    best: TaggerEpoch
    scores: list[ClassScores]
    """Of the entities of each kind, and last of all together."""
    kinds: tuple[str, ...]
    matrix: Tensor
    """How many words of each kind, rows, were given each kind; the first is "O"."""
    notes: list[str]

    def record(self) -> dict[str, Any]:
        """What finetune.json says beside the epochs."""
        scores = [score._asdict() for score in self.scores]
        return {"entities": scores, "kinds": self.kinds, "confusion_matrix": self.matrix.tolist()}

    def picture(self) -> Picture:
        """The words' confusion matrix, by kind."""
        title = f"Epoch {self.best.number}: entity F1 {self.best.f1:.1%}, words {self.best.accuracy:.1%} right"
        return confusion_map(self.matrix, self.kinds, title=title)


class Found(NamedTuple):
    """An entity in a text: its kind, its words as they stand there, and where, in characters, end excluded."""

    kind: str
    text: str
    begin: int
    end: int


# ---- using a tagger ----


@torch.inference_mode()
def word_scores(model: nn.Module, batches: Sequence[Batch], places: Sequence[Sequence[int | None]]) -> list[Tensor]:
    """Log-probabilities (W, C) of the tags of each sentence's words; a word that was cut is "O", number 0, for sure."""
    device = next(model.parameters()).device
    scores: list[Tensor] = []
    for batch in batches:
        inputs = {name: tensor.to(device) for name, tensor in batch.items() if name != "labels"}
        for row in model(**inputs).logits.float().log_softmax(-1).cpu():
            here = places[len(scores)]
            words = torch.full((len(here), row.shape[-1]), -float("inf"))
            words[:, 0] = 0.0
            read = [number for number, place in enumerate(here) if place is not None]
            words[read] = row[[place for place in here if place is not None]]
            scores.append(words)
    return scores


def predict_tags(
    model: BertForTokenClassification,
    tokenizer: WordPieceTokenizer,
    sentences: Sequence[Sequence[str]],
    *,
    labelled: Labelled = "first",
    legal: bool = False,
) -> list[list[str]]:
    """Tag sentences of words, each word by itself, or `legal`: the most probable tags that BIO allows together.

    `labelled` is which piece was trained to speak for its word.
    """
    labels = model.config.labels
    untagged = [TaggedWords(tuple(words), ("O",) * len(words)) for words in sentences]
    length = model.config.max_position_embeddings
    rows, places = tagging_rows(untagged, tokenizer, labels, max_length=length, labelled=labelled)
    scores = word_scores(model.eval(), batches_in_order(rows, pad_id=tokenizer.pad_id), places)
    return [viterbi(each, labels) if legal else best_tags(each, labels) for each in scores]


def best_tags(scores: Tensor, labels: Sequence[str]) -> list[str]:
    """The best tag of each word by itself."""
    return [labels[number] for number in scores.argmax(1).tolist()]


def find_entities(model: BertForTokenClassification, tokenizer: WordPieceTokenizer, text: str) -> list[Found]:
    """The entities of a text, whose words are those that the tokenizer splits it into; tags as BIO allows them."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    spans: list[tuple[int, int]] = []
    for word, (begin, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        if word == len(spans) - 1:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    (tags,) = predict_tags(model, tokenizer, [[text[begin:end] for begin, end in spans]], legal=True)
    found = [(kind, spans[first][0], spans[last - 1][1]) for kind, first, last in entities(tags)]
    return [Found(kind, text[begin:end], begin, end) for kind, begin, end in found]


# ---- teaching one ----


def prepare(settings: TaggingSettings, tokenizer: WordPieceTokenizer) -> TaskData:
    """Read and encode both files. Raises `ValueError` naming file, line or kind."""
    known, new = (read_conll(path) for path in (settings.train, settings.eval))
    labels = tag_labels(known)
    kinds = {tag[2:] for tag in labels if tag != "O"}
    refuse_unseen(settings, sorted(kinds), {tag[2:] for _, tags in new for tag in tags if tag != "O"}, "kind")
    length, labelled = settings.max_length or LONGEST, cast(Labelled, settings.labelled)
    trained, asked = (
        tagging_rows(part, tokenizer, labels, max_length=length, labelled=labelled) for part in (known, new)
    )
    notes = note_leaks("sentences", *([words for words, _ in part] for part in (known, new)))
    for what, places in (("training", trained.places), ("evaluation", asked.places)):
        if lost := sum(place is None for sentence in places for place in sentence):
            cut = sum(None in sentence for sentence in places)
            notes.append(f"{lost} words of {cut} {what} sentences were not read: at most {length} tokens are")
    stream = ExampleStream(trained.rows, pad_id=tokenizer.pad_id, batch_size=settings.batch_size, seed=settings.seed)
    truth = list(zip(asked.places, [tags for _, tags in new], strict=True))
    return TaskData(labels, stream, batches_in_order(asked.rows, pad_id=tokenizer.pad_id), notes, truth)


def measure(model: nn.Module, data: TaskData) -> dict[str, float]:
    """Judge a tagger by the loss of the words that it reads, the share of words right, and the F1 of entities."""
    scores = word_scores(model, data.batches, [places for places, _ in data.truth])
    number = {label: i for i, label in enumerate(data.labels)}
    actual = torch.tensor([number[tag] for _, tags in data.truth for tag in tags])
    together = torch.cat(scores)
    read = torch.tensor([place is not None for places, _ in data.truth for place in places])
    said = [best_tags(each, data.labels) for each in scores]
    return {
        "held_out_loss": float(nn.functional.nll_loss(together[read], actual[read])),
        "held_out_accuracy": accuracy(together.argmax(1), actual),
        "held_out_f1": entity_scores(said, [tags for _, tags in data.truth]).f1,
    }


def report(
    model: BertForTokenClassification,
    figures: Sequence[Mapping[str, float]],
    best: int,
    settings: TaggingSettings,
    data: TaskData,
) -> FinetunedTagger:
    """Look at the entities that the best epoch finds; the model holds its weights."""
    epochs = [TaggerEpoch(number, *(each[name] for name in FIGURES)) for number, each in enumerate(figures)]
    scores = word_scores(model, data.batches, [places for places, _ in data.truth])
    said, actual = [best_tags(each, data.labels) for each in scores], [tags for _, tags in data.truth]
    kinds = ("O", *(label[2:] for label in data.labels if label.startswith("B-")))
    each = [entity_scores(said, actual, kind) for kind in (*kinds[1:], None)]
    given, there = (
        torch.tensor([kinds.index(tag[2:] or "O") for tags in sentences for tag in tags])
        for sentences in (said, actual)
    )
    matrix = confusion_matrix(given, there, len(kinds))
    return FinetunedTagger(model, settings, epochs, epochs[best], each, kinds, matrix, data.notes)


FIGURES = ("held_out_loss", "held_out_accuracy", "held_out_f1")
TAGGING = Task(
    name="tagging",
    help="one tag for each word: names of people, places and the like",
    noun="tagger",
    settings=TaggingSettings,
    model=BertForTokenClassification,
    prepare=prepare,
    measure=measure,
    ranked_by={"held_out_f1": "highest", "held_out_loss": "lowest"},
    report=report,
)
