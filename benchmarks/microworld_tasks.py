"""What a nano BERT knows of each task of the microworld after fine-tuning, beside the best that anybody could know.

Three pretrained models (three seeds) are fine-tuned on each task with as many labels as the steps take, each answer
counts as much as the exact posterior says it is probable, and beside them stand an untrained model and the commonest
answer. Senses are read off the pretrained model without fine-tuning: the nearest mean of states seen in each sense.

    python benchmarks/microworld_tasks.py --write microworld_tasks.md
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from common import circumstances, publish, spread, table
from microworld import bare_recipe
from torch import Tensor, nn

from bertmini.config import IGNORED
from bertmini.data.batches import Batch
from bertmini.microworld import Floor, World, WorldDocument, split_generator
from bertmini.model.encoder import BertModel
from bertmini.model.pretraining import BertForPreTraining
from bertmini.model.tasks import BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification
from bertmini.runs.pretrain import build_model
from bertmini.runs.settings import WORLD_SETTINGS
from bertmini.runs.world import world_materials
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

SEEDS, TEST = 3, 2_000
AMBIGUOUS = {"bank": ("river", "office"), "seal": ("river", "office"), "mole": ("garden", "office")}


class Task(NamedTuple):
    """A kind of document, the name of its label, the head, the steps, and a word that all of the test must have."""

    name: str
    kind: str
    label: str
    head: type[Any]
    steps: int
    word: str = ""


TASKS = (
    Task("topic of an opening", "topic", "topic", BertForSequenceClassification, 300),
    Task("she or he, from an opening", "topic", "pronoun", BertForSequenceClassification, 300),
    Task("polarity of a claim", "polarity", "mood", BertForSequenceClassification, 300),
    Task("polarity of a claim with not (XOR)", "polarity", "mood", BertForSequenceClassification, 300, "not"),
    Task("does the verdict fit the claim?", "fits", "shared", BertForSequenceClassification, 1_500),
    Task("arguments that two reports share", "match", "shared", BertForSequenceClassification, 4_000),
    Task("names: person, place or firm", "tagging", "tag", BertForTokenClassification, 600),
    Task("is the question answered?", "answer", "answerable", BertForSequenceClassification, 1_500),
    Task("where is the answer?", "answer", "span", BertForQuestionAnswering, 3_000),
)


class Workshop:
    """The world and its vocabulary, and batches of its documents."""

    def __init__(self) -> None:
        """Open the world."""
        self.world = World.default()
        self.ids = {piece: number for number, piece in enumerate(self.world.vocabulary())}

    def lay_out(self, documents: list[WorldDocument]) -> Batch:
        """Write documents as [CLS] A [SEP], or [CLS] A [SEP] B [SEP]."""
        rows, types = [], []
        for document in documents:
            texts = [document.pieces[: document.split], document.pieces[document.split :]]
            first, second = ([self.ids[piece] for sentence in text for piece in sentence] for text in texts)
            begin = [self.ids["[CLS]"], *first, self.ids["[SEP]"]]
            end = [*second, self.ids["[SEP]"]] if second else []
            rows.append(torch.tensor(begin + end))
            types.append(torch.tensor([0] * len(begin) + [1] * len(end)))
        pad = nn.utils.rnn.pad_sequence
        mask = pad([torch.ones_like(row) for row in rows], batch_first=True)
        return {
            "input_ids": pad(rows, batch_first=True),
            "token_type_ids": pad(types, batch_first=True),
            "attention_mask": mask,
        }

    def labelled(self, task: Task, documents: list[WorldDocument], values: list[str]) -> Batch:
        """Lay documents out with the labels of a task."""
        batch = self.lay_out(documents)
        if task.label == "span":
            spans = torch.tensor([answer_span(document) for document in documents])
            return batch | {"start_positions": spans[:, 0], "end_positions": spans[:, 1]}
        if task.label == "tag":
            labels = torch.full_like(batch["input_ids"], IGNORED)
            for row, document in enumerate(documents):
                tags = [values.index(label.tag) for sentence in document.labels for label in sentence]
                labels[row, 1 : len(tags) + 1] = torch.tensor(tags)
            return batch | {"labels": labels}
        return batch | {"labels": torch.tensor([values.index(document.values[task.label]) for document in documents])}


def answer_span(document: WorldDocument) -> tuple[int, int]:
    """Say where the answer begins and ends, counted from [CLS]; (0, 0) if there is none."""
    place = 1
    for number, sentence in enumerate(document.labels):
        place += number == document.split  # the [SEP] between question and text
        for label in sentence:
            if label.answer:
                return place, place + label.answer - 1
            place += 1
    return 0, 0


class Labels:
    """An endless stream of labelled batches, all new; its place is the number of batches drawn."""

    def __init__(self, workshop: Workshop, task: Task, values: list[str], seed: int) -> None:
        """Begin at the first batch."""
        self.workshop, self.task, self.values, self.seed, self.drawn = workshop, task, values, seed, 0

    def __next__(self) -> Batch:
        """Draw a batch."""
        generator = split_generator("train", 1_000_000 * (self.seed + 1) + self.drawn)
        self.drawn += 1
        documents = self.workshop.world.sample(64, generator=generator, kind=self.task.kind)
        return self.workshop.labelled(self.task, documents, self.values)

    def state_dict(self) -> dict[str, int]:
        """Say how many batches were drawn."""
        return {"drawn": self.drawn}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on behind so many."""
        self.drawn = state["drawn"]


class Exam(NamedTuple):
    """A test batch, the names of the answers, and the exact probability of each: (N, answers), or spans (N, S, S)."""

    batch: Batch
    values: list[str]
    posterior: Tensor


def make_exam(workshop: Workshop, task: Task) -> Exam:
    """Draw the test and compute what can be known of it."""
    drawn = workshop.world.sample(TEST, generator=split_generator("test"), kind=task.kind)
    documents = [document for document in drawn if not task.word or task.word in document.text.split()]
    batch, floor = workshop.lay_out(documents), Floor.task(workshop.world, task.kind)
    if task.label == "span":
        return Exam(batch, [], floor.answers(batch))
    found = floor.tokens(batch) if task.label == "tag" else floor.label(batch, task.label)
    return Exam(batch, found.values, found.probabilities)


def expected_accuracy(task: Task, model: nn.Module, exam: Exam) -> float:
    """How probably the model's answers are right, on average."""
    with torch.inference_mode():
        output = model.eval()(**exam.batch)
    if task.label == "span":
        start, end = (logits.log_softmax(1) for logits in (output.start_logits, output.end_logits))
        scores = (start[:, :, None] + end[:, None, :]).masked_fill(~span_allowed(exam.batch), -torch.inf)
        return float(exam.posterior.flatten(1).gather(1, scores.flatten(1).argmax(1, keepdim=True)).mean())
    logits = output.logits
    if task.label == "tag":
        special = torch.isin(exam.batch["input_ids"], torch.tensor([0, 2, 3]))
        logits = logits[~special]
    return float(exam.posterior.gather(1, logits.argmax(1, keepdim=True)).mean())


def span_allowed(batch: Batch) -> Tensor:
    """Say which spans can be an answer: pieces of the text from left to right, or [CLS] alone: (B, S, S)."""
    text = (batch["token_type_ids"] == 1) & (batch["attention_mask"] == 1)
    allowed = (text[:, :, None] & text[:, None, :]).triu()
    allowed[:, 0, 0] = True
    return allowed


def best_and_commonest(task: Task, exam: Exam) -> tuple[float, float]:
    """How often the best possible answer is right, and how often the commonest one."""
    flat = exam.posterior.flatten(1)
    commonest = flat[:, 0].mean() if task.label == "span" else flat.mean(0).max()  # of spans: there is no answer
    return float(flat.amax(1).mean()), float(commonest)


def fine_tune(
    workshop: Workshop, task: Task, values: list[str], pretrained: BertForPreTraining, seed: int
) -> nn.Module:
    """Put a new head on a pretrained encoder and train both."""
    model = new_model(task, values, pretrained, seed)
    kept = {name for name, _ in model.bert.named_parameters()}
    weights = {name: weight for name, weight in pretrained.bert.state_dict().items() if name in kept}
    model.bert.load_state_dict(weights)
    recipe = Recipe(steps=task.steps, learning_rate=2e-3, optimizer="muon")
    train(model, Labels(workshop, task, values, seed), recipe, device="cpu", progress=False)
    return model


def new_model(task: Task, values: list[str], like: BertForPreTraining, seed: int) -> Any:
    """Build a model of random weights with the task's head."""
    torch.manual_seed(seed)
    return task.head(replace(like.bert.config, labels=tuple(values) or ("start", "end")))


class Noun(NamedTuple):
    """All places of an ambiguous noun, its two senses there by number, and the exact probability of both (N, 2)."""

    row: Tensor
    column: Tensor
    truth: Tensor
    exact: Tensor


class Senses:
    """Openings with an ambiguous noun: half to take the means of, half to ask about.

    The exact posterior of the topic is that of the sense. Where the sentence names a place it is certain; where it does
    not, the commoner sense is the best guess, which the nearest of two means knows nothing of.
    """

    def __init__(self, workshop: Workshop) -> None:
        """Draw them and compute what can be known of each."""
        documents = workshop.world.sample(12_000, generator=split_generator("validation"), kind="topic")
        self.batch, self.half = workshop.lay_out(documents), len(documents) // 2
        topics = Floor.task(workshop.world, "topic").label(self.batch, "topic")
        self.nouns = []
        for noun, two in AMBIGUOUS.items():
            row, column = (self.batch["input_ids"] == workshop.ids[noun]).nonzero(as_tuple=True)
            truth = torch.tensor([two.index(documents[i].values["topic"]) for i in row.tolist()])
            exact = topics.probabilities[row][:, [topics.values.index(topic) for topic in two]]
            self.nouns.append(Noun(row, column, truth, exact))

    def best(self) -> tuple[float, float]:
        """Score the best possible guess."""
        return self.score([noun.exact.argmax(1) for noun in self.nouns])

    def commonest(self) -> tuple[float, float]:
        """Score the commoner sense of each noun, whatever the sentence says."""
        return self.score([noun.exact.mean(0).argmax().expand(len(noun.row)) for noun in self.nouns])

    def nearest_mean(self, bert: BertModel, layer: int) -> tuple[float, float]:
        """Score the sense of the nearest of two mean states."""
        with torch.inference_mode():
            states = bert.eval()(**self.batch, output_hidden_states=True).hidden_states[layer]
        guesses = []
        for row, column, truth, _ in self.nouns:
            found, learned = states[row, column], row < self.half
            means = torch.stack([found[learned & (truth == sense)].mean(0) for sense in (0, 1)])
            guesses.append(torch.cdist(found, means).argmin(1))
        return self.score(guesses)

    def score(self, guesses: list[Tensor]) -> tuple[float, float]:
        """How often the guesses are right, where the sentence tells the sense and where it does not."""
        told, untold = [], []
        for noun, guess in zip(self.nouns, guesses, strict=True):
            right = noun.exact.gather(1, guess[:, None])[:, 0]
            asked, certain = noun.row >= self.half, noun.exact.amax(1) > 1 - 1e-9
            told.append(right[asked & certain])
            untold.append(right[asked & ~certain])
        return float(torch.cat(told).mean()), float(torch.cat(untold).mean())


def pretrained_models(count: int, steps: int) -> list[BertForPreTraining]:
    """Pretrain as the command does, with several seeds."""
    models = []
    for seed in range(count):
        settings = replace(WORLD_SETTINGS, seed=seed, steps=steps)
        materials = world_materials(settings)
        model = build_model(settings, len(materials.tokenizer), materials.tokenizer.pad_id)
        train(model, materials.stream, bare_recipe(settings), device="cpu", progress=False)
        models.append(model)
    return models


def row_of(name: str, best: float, trained: list[float], untrained: float, commonest: float) -> list[str]:
    """Write one row: the median of the trained models, and their range."""
    return [name, f"{best:.1%}", spread(trained, ".1%"), f"{untrained:.1%}", f"{commonest:.1%}"]


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4_400, help="of pretraining")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tasks", nargs="+", help="only the kinds named")
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    workshop, models = Workshop(), pretrained_models(SEEDS, asked.steps)
    raw = build_model(WORLD_SETTINGS, len(workshop.ids), 0)
    rows = []
    for task in TASKS:
        if asked.tasks and task.kind not in asked.tasks:
            continue
        exam = make_exam(workshop, task)
        best, commonest = best_and_commonest(task, exam)
        score: Callable[[nn.Module], float] = lambda model, task=task, exam=exam: expected_accuracy(task, model, exam)  # noqa: E731
        after = [score(fine_tune(workshop, task, exam.values, model, seed)) for seed, model in enumerate(models)]
        name = f"{task.name} ({64 * task.steps:,} labels)"
        rows.append(row_of(name, best, after, score(new_model(task, exam.values, raw, 0)), commonest))
        print(rows[-1], flush=True)
    senses = Senses(workshop)
    for layer in range(3):
        scores = zip(
            senses.best(), *(senses.nearest_mean(model.bert, layer) for model in [*models, raw]), senses.commonest(),
            strict=True,
        )  # fmt: skip
        for place, (best, *found, untrained, commonest) in zip(("named", "not named"), scores, strict=True):
            rows.append(
                row_of(f"sense of bank, seal, mole, place {place}, layer {layer}", best, found, untrained, commonest)
            )
            print(rows[-1], flush=True)
    heading = ["task", "best possible", "trained, median (range)", "untrained", "always the commonest"]
    text = "\n\n".join(["# Tasks of the microworld", circumstances(torch.device("cpu")), table(heading, rows)])
    publish(text, asked.write)


if __name__ == "__main__":
    main()
