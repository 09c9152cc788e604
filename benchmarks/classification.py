"""What pretraining buys when labels are few: learning curves of chapter 08, over 8 to 1,024 labels, five seeds.

Each seed has its own pretraining, its own labelled sentences and its own first weights. An answer counts as much as it
is probable to be right by the exact posterior, so that luck in the test drops out and nobody beats Bayes. Steps and
learning rates are the same for every number of labels; they were chosen on other sentences. (From scratch with 256
labels, three times the rate gives two or three points more, which closes no gap.)

    python benchmarks/classification.py --seeds 0 --rows runs/classification    # one seed, a minute or two; then 1 ...
    python benchmarks/classification.py --rows runs/classification --write classification.md
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from common import circumstances, publish, spread, table
from torch import Tensor

from bertmini.config import PRESETS
from bertmini.data.batches import Batch, ExampleStream, pad
from bertmini.data.classification import classification_rows
from bertmini.data.masking import Masking
from bertmini.data.tables import LabelledText
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import Floor, World, split_generator
from bertmini.model.encoder import BertModel
from bertmini.model.pretraining import BertForPreTraining
from bertmini.model.tasks import BertForSequenceClassification
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
TASKS = {"topic": "topic", "polarity": "mood"}
METHODS = ("majority", "bag of words", "from scratch", "frozen", "fine-tuned", "Bayes")
SIX = {"great", "fine", "lovely", "dull", "poor", "awful"}
STEPS, BATCH = 150, 32
RATES = {"from scratch": 1e-3, "fine-tuned": 5e-4}
PRETRAINING_STEPS = 1_000


class Bench:
    """The world, the test sentences and what could be known of them."""

    def __init__(self) -> None:
        """Draw the tests."""
        self.world = World.default()
        self.tokenizer = WordPieceTokenizer.from_vocab(self.world.vocabulary())
        self.examples = {task: self.draw(task, 2_000, split_generator("test")) for task in TASKS}
        self.labels = {task: tuple(sorted({e.label for e in found})) for task, found in self.examples.items()}
        self.tests = {task: self.batch(self.examples[task], self.labels[task]) for task in TASKS}
        self.posterior = {
            task: Floor.task(self.world, task).label(self.tests[task], name).probabilities
            for task, name in TASKS.items()
        }
        rules = [rule for name in ("Common", "Rare") for rule in self.world.grammar.rules[name]]
        self.adjectives = {item.name for rule in rules for way in rule.alternatives for item in way.items}

    def draw(self, task: str, count: int, generator: torch.Generator) -> list[LabelledText]:
        """Draw labelled sentences of a task."""
        documents = self.world.sample(count, generator=generator, kind=task)
        return [LabelledText(document.text, None, document.values[TASKS[task]]) for document in documents]

    def batch(self, examples: list[LabelledText], labels: tuple[str, ...]) -> Batch:
        """Lay examples out as one batch."""
        return pad(classification_rows(examples, self.tokenizer, labels, max_length=64), self.tokenizer.pad_id)

    def score(self, task: str, answers: Tensor, among: Tensor | None = None) -> float:
        """Compute the expected share of right answers, among some of the test sentences."""
        exact = self.posterior[task].gather(1, answers[:, None])[:, 0]
        return float(exact.mean() if among is None else exact[among].mean())

    def words_of(self, example: LabelledText) -> set[str]:
        """Find the adjectives of a sentence."""
        return self.adjectives & set(example.text.rstrip(".").split())


class Reviews:
    """An endless stream of reviews without labels, some of their words hidden, as in chapter 08."""

    def __init__(self, bench: Bench, seed: int) -> None:
        """Draw from seeds that no labelled sentence is drawn from."""
        self.bench, self.generator = bench, split_generator("train", 1_000 + seed)
        pieces = bench.tokenizer.pieces
        self.early, self.late, self.batches = Masking(pieces, rate=0.6, mask_share=0.5), Masking(pieces), 0

    def texts(self) -> list[str]:
        """Draw the reviews of a batch."""
        return [review.text for review in self.bench.world.sample(64, generator=self.generator, kind="review")]

    def __next__(self) -> Batch:
        """Hide more words in the first part of the run, as `pretrain` does."""
        batch = self.bench.batch([LabelledText(text, None, "bad") for text in self.texts()], ("bad", "good"))
        self.batches += 1
        masking = self.early if self.batches <= 0.85 * PRETRAINING_STEPS else self.late
        input_ids, labels = masking(batch["input_ids"], generator=self.generator)
        return batch | {"input_ids": input_ids, "labels": labels}

    def state_dict(self) -> dict[str, Any]:
        """Nothing is resumed here."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing is resumed here."""


def pretrain(bench: Bench, seed: int, reviews: Reviews | None = None) -> BertForPreTraining:
    """Pretrain a nano BERT as chapter 08 does: hidden words only, on reviews only."""
    config = replace(
        PRESETS["nano"], vocab_size=len(bench.tokenizer), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    torch.manual_seed(seed)
    model = BertForPreTraining(config)
    recipe = Recipe(steps=PRETRAINING_STEPS, learning_rate=8e-3, warmup=0.02, optimizer="muon")
    train(model, reviews or Reviews(bench, seed), recipe, device="cpu", progress=False)
    return model


def fit_linear(x: Tensor, y: Tensor, classes: int, penalty: float = 0.01) -> tuple[Tensor, Tensor]:
    """Fit logistic regression on rows (N, E): weights (E, C) and biases (C,)."""
    weight, bias = torch.zeros(x.shape[1], classes, requires_grad=True), torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(x @ weight + bias, y) + penalty / 2 * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weight.detach(), bias.detach()


def counts(bench: Bench, batch: Batch) -> Tensor:
    """Count the pieces of each text, special ones left out: (B, V)."""
    ids = batch["input_ids"]
    found = torch.zeros(len(ids), len(bench.tokenizer)).scatter_add_(1, ids, torch.ones(ids.shape))
    found[:, sorted(bench.tokenizer.special_ids)] = 0
    return found


@torch.no_grad()
def vectors(encoder: BertModel, batch: Batch) -> Tensor:
    """Take the state of [CLS]: (B, E)."""
    return encoder(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state[:, 0]


def fine_tune(
    bench: Bench, task: str, examples: list[LabelledText], pretrained: BertForPreTraining, seed: int, *, scratch: bool
) -> Tensor:
    """Train a classifier, from the pretrained encoder or from random weights: its answers to the test."""
    torch.manual_seed(seed)
    model = BertForSequenceClassification(replace(pretrained.config, labels=bench.labels[task]))
    if not scratch:
        model.bert.load_state_dict(pretrained.bert.state_dict())
    rows = classification_rows(examples, bench.tokenizer, bench.labels[task], max_length=64)
    stream = ExampleStream(rows, pad_id=bench.tokenizer.pad_id, batch_size=BATCH, seed=seed)
    rate = RATES["from scratch" if scratch else "fine-tuned"]
    train(model, stream, Recipe(steps=STEPS, learning_rate=rate), device="cpu", progress=False)
    with torch.no_grad():
        return model(**bench.tests[task]).logits.argmax(1)


def all_answers(
    bench: Bench, task: str, examples: list[LabelledText], pretrained: BertForPreTraining, seed: int
) -> dict[str, Tensor]:
    """Answer the test in every way."""
    batch, labels = bench.batch(examples, bench.labels[task]), bench.labels[task]
    given, test = batch["labels"], bench.tests[task]
    found = {"majority": given.mode().values.expand(len(test["labels"]))}
    weight, bias = fit_linear(counts(bench, batch), given, len(labels))
    found["bag of words"] = (counts(bench, test) @ weight + bias).argmax(1)
    weight, bias = fit_linear(vectors(pretrained.bert, batch), given, len(labels))
    found["frozen"] = (vectors(pretrained.bert, test) @ weight + bias).argmax(1)
    found["from scratch"] = fine_tune(bench, task, examples, pretrained, seed, scratch=True)
    found["fine-tuned"] = fine_tune(bench, task, examples, pretrained, seed, scratch=False)
    found["Bayes"] = bench.posterior[task].argmax(1)
    return found


def run_seed(bench: Bench, seed: int) -> list[dict[str, object]]:
    """Run everything for one seed: rows of what, task, labels, method, score."""
    begin = time.process_time()
    pretrained = pretrain(bench, seed)
    rows: list[dict[str, object]] = []

    def note(what: str, task: str, size: int, method: str, value: float) -> None:
        rows.append({"what": what, "task": task, "labels": size, "method": method, "score": value, "seed": seed})

    for task in TASKS:
        drawn = bench.draw(task, max(SIZES), split_generator("train", 100 + seed))
        negated = torch.tensor([" not " in example.text for example in bench.examples[task]])
        for size in SIZES:
            for method, answers in all_answers(bench, task, drawn[:size], pretrained, seed).items():
                note("curve", task, size, method, bench.score(task, answers))
                if task == "polarity":
                    note("negated", task, size, method, bench.score(task, answers, negated))
    pool = bench.draw("polarity", 4_000, split_generator("train", 200 + seed))
    covered = [example for example in pool if bench.words_of(example) <= SIX][:48]
    unseen = torch.tensor([not bench.words_of(example) & SIX for example in bench.examples["polarity"]])
    for method, answers in all_answers(bench, "polarity", covered, pretrained, seed).items():
        note("unseen adjectives", "polarity", len(covered), method, bench.score("polarity", answers, unseen))
    print(f"seed {seed}: {time.process_time() - begin:.0f} s of processor time", flush=True)
    return rows


def summary(rows: list[dict[str, object]]) -> str:
    """Lay the rows out: for each method and number of labels the median of the seeds and their range."""
    parts = []
    titles = {
        ("curve", "topic"): "Topic",
        ("curve", "polarity"): "Polarity",
        ("negated", "polarity"): "Polarity, sentences with not",
        ("unseen adjectives", "polarity"): "Unseen adjectives",
    }
    for (what, task), title in titles.items():
        here = [row for row in rows if (row["what"], row["task"]) == (what, task)]
        sizes = sorted({int(str(row["labels"])) for row in here})
        lines = []
        for method in METHODS:
            cells = []
            for size in sizes:
                scores = [float(str(r["score"])) for r in here if r["labels"] == size and r["method"] == method]
                cells.append(spread(scores, ".3f"))
            lines.append([method, *cells])
        parts.append(f"## {title}\n\n" + table(["method", *map(str, sizes)], lines))
    return "\n\n".join(parts)


def main() -> None:
    """Run the seeds that are asked for, and make the table of all that have been run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--rows", type=Path, required=True, help="a folder that keeps the rows of each seed")
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.rows.mkdir(parents=True, exist_ok=True)
    bench = Bench()
    for seed in asked.seeds:
        (asked.rows / f"seed{seed}.json").write_text(json.dumps(run_seed(bench, seed)), encoding="utf-8")
    rows = [row for path in sorted(asked.rows.glob("seed*.json")) for row in json.loads(path.read_text())]
    seeds = len({row["seed"] for row in rows})
    text = "\n\n".join(
        [
            "# What pretraining buys when labels are few",
            f"{circumstances(torch.device('cpu'))}. Median and range of {seeds} seeds; {STEPS} steps of {BATCH}.",
            summary(rows),
        ]
    )
    publish(text, asked.write)


if __name__ == "__main__":
    main()
