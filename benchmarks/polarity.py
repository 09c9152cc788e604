"""What pretraining buys on a few thousand labelled sentences: fine-tuned, from scratch, and a bag of words.

Each system's settings are chosen on the development file, with one seed: learning rate, dropout and, in every run, the
epoch for the two BERTs, the penalty for the bag of words. The test file decides nothing: every run is asked about it
once, and what the chosen settings got is reported, for every seed. The bag of words is a convex problem: it has one
solution, whatever the seed.

    python benchmarks/polarity.py CHECKPOINT --train train.tsv --dev dev.tsv --test test.tsv --write polarity.md

The files have no heading; text and label stand in columns 1 and 2, unless told otherwise. With --record FILE each run
is written there when it is done, and one that stands there is not done again.
"""

import argparse
import csv
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from common import circumstances, publish, table
from torch import Tensor

from bertmini import (
    FinetuningSettings,
    LabelledText,
    WordPieceTokenizer,
    batches_in_order,
    classification_rows,
    finetune,
    label_names,
    read_labelled,
)
from bertmini.metrics import accuracy
from bertmini.runs.held_out import predict

RATES = {False: (1e-4, 3e-4, 1e-3), True: (3e-4, 1e-3, 3e-3)}  # from scratch?
DROPOUTS = (0.1, 0.3)
SYSTEMS = ("pretrained", "scratch", "words", "pairs")
PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0)


class Score(NamedTuple):
    """A system: how it was set, and its accuracies on the development and the test file, one per seed."""

    name: str
    recipe: str
    dev: list[float]
    test: list[float]


# ---- the two BERTs ----


class Run(NamedTuple):
    """A fine-tuning: its best epoch, how right it was there on the development file, at what loss, and on the test."""

    rate: float
    dropout: float
    epoch: int
    dev: float
    loss: float
    test: float


def tune(settings: FinetuningSettings, test: Sequence[LabelledText], path: Path | None) -> Run:
    """Fine-tune as the command does, into a folder that is thrown away, unless that run is on record."""
    start = "scratch" if settings.from_scratch else "pretrained"
    name = f"{start}, rate {settings.learning_rate}, dropout {settings.dropout}, seed {settings.seed}"
    record = read_record(path)
    if name in record:
        return Run(*record[name])
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = finetune(settings, Path(folder) / "result", device="cpu", progress=False)
    tokenizer = WordPieceTokenizer.from_pretrained(settings.checkpoint)
    rows = classification_rows(test, tokenizer, result.model.config.labels, max_length=settings.max_length or 128)
    logits, actual = predict(result.model, batches_in_order(rows, pad_id=tokenizer.pad_id))
    run = Run(settings.learning_rate or 0.0, settings.dropout, result.best.number, result.best.accuracy,
              result.best.loss, accuracy(logits.argmax(1), actual))  # fmt: skip
    course = " ".join(f"{epoch.accuracy:.1%}" for epoch in result.epochs)
    print(f"{name}: {course} ({time.perf_counter() - begin:.0f} s)", flush=True)
    write_record(path, name, run)
    return run


def score_bert(
    settings: FinetuningSettings,
    test: Sequence[LabelledText],
    seeds: int,
    path: Path | None = None,
    dropouts: Sequence[float] = DROPOUTS,
) -> Score:
    """Choose learning rate and dropout with the first seed on the development file, run all seeds with them."""
    rates = RATES[settings.from_scratch]
    grid = [replace(settings, learning_rate=rate, dropout=dropout) for rate in rates for dropout in dropouts]
    first = max((tune(each, test, path) for each in grid), key=lambda run: (run.dev, -run.loss))
    chosen = replace(settings, learning_rate=first.rate, dropout=first.dropout)
    runs = [first] + [tune(replace(chosen, seed=seed), test, path) for seed in range(1, seeds)]
    best = ", ".join(str(run.epoch) for run in runs)
    recipe = (
        f"rate {first.rate:g}{among(rates)}; dropout {first.dropout:g}"
        f"{among(dropouts)}; best epochs {best} of at most {settings.epochs}"
    )
    name = "the same, from scratch" if settings.from_scratch else "pretrained, then fine-tuned"
    return Score(name, recipe, [run.dev for run in runs], [run.test for run in runs])


def among(tried: Sequence[float]) -> str:
    """Say among which values one was chosen, where there was a choice."""
    return f" of {', '.join(f'{value:g}' for value in tried)}" if len(tried) > 1 else ""


# ---- the bag of words ----


def grams(text: str, longest: int) -> set[str]:
    """Take the words of a text and, for `longest` 2, their pairs."""
    words = text.lower().split()
    return {" ".join(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)}


def features(examples: Sequence[LabelledText], longest: int, known: dict[str, int]) -> tuple[Tensor, Tensor]:
    """List the numbers of the known grams of all texts (sum of n,), and where each text's begin (N,)."""
    rows = [[known[gram] for gram in sorted(grams(text, longest)) if gram in known] for text, _, _ in examples]
    lengths = torch.tensor([0] + [len(row) for row in rows[:-1]])
    return torch.tensor([i for row in rows for i in row]), lengths.cumsum(0)


def fit(places: tuple[Tensor, Tensor], actual: Tensor, size: int, penalty: float) -> tuple[Tensor, Tensor]:
    """Minimise the sum of cross-entropies + penalty / 2 * |weights|^2 by L-BFGS: weights (V, C) and biases (C,)."""
    classes = int(actual.max()) + 1
    weight, bias = torch.zeros(size, classes, requires_grad=True), torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def objective() -> Tensor:
        optimizer.zero_grad()
        logits = F.embedding_bag(places[0], weight, places[1], mode="sum") + bias
        loss = F.cross_entropy(logits, actual, reduction="sum") + penalty / 2 * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(objective)  # type: ignore[arg-type]
    return weight.detach(), bias.detach()


def score_bag(files: Sequence[Sequence[LabelledText]], longest: int) -> Score:
    """Choose the penalty on the second file and test on the third. A gram counts if two training texts have it."""
    counts = Counter(gram for text, _, _ in files[0] for gram in grams(text, longest))
    known = {gram: i for i, gram in enumerate(sorted(gram for gram, count in counts.items() if count > 1))}
    labels = label_names(files[0])
    places = [features(examples, longest, known) for examples in files]
    actual = [torch.tensor([labels.index(example.label) for example in examples]) for examples in files]
    right = {}
    for penalty in PENALTIES:
        weight, bias = fit(places[0], actual[0], len(known), penalty)
        right[penalty] = [
            accuracy((F.embedding_bag(ids, weight, begins, mode="sum") + bias).argmax(1), there)
            for (ids, begins), there in zip(places[1:], actual[1:], strict=True)
        ]
        print(f"bag of words up to {longest}, penalty {penalty:g}: {right[penalty][0]:.1%}", flush=True)
    best = max(PENALTIES, key=lambda penalty: right[penalty][0])
    name = f"bag of words{' and word pairs' if longest == 2 else ''}, logistic regression"
    recipe = f"{len(known):,} features; penalty {best:g} of {', '.join(f'{penalty:g}' for penalty in PENALTIES)}"
    return Score(name, recipe, [right[best][0]], [right[best][1]])


# ---- the table ----


def read_record(path: Path | None) -> dict[str, Any]:
    """What is done already, by name."""
    return json.loads(path.read_text()) if path is not None and path.exists() else {}


def write_record(path: Path | None, name: str, done: Any) -> None:
    """Write down what is done, beside the rest."""
    if path is not None:
        path.write_text(json.dumps(read_record(path) | {name: done}, indent=2) + "\n")


def recorded(name: str, run: Callable[[], Score], path: Path | None) -> Score:
    """Look a score up, or run the system and write its score down."""
    record = read_record(path)
    if name in record:
        return Score(*record[name])
    score = run()
    print(score, flush=True)
    write_record(path, name, score)
    return score


def percent(values: Sequence[float]) -> str:
    """Spell mean and standard deviation, in percent."""
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.1f}{spread}"


def each_seed(values: Sequence[float]) -> str:
    """Spell the values, in percent."""
    return ", ".join(f"{100 * value:.1f}" for value in values)


def commands(run: dict[str, Any], asked: argparse.Namespace) -> str:
    """Spell the commands that do all this again; the reader puts the folders in."""
    files = " ".join(f"--{role} {getattr(asked, role).name}" for role in ("train", "dev", "test"))
    pretrain = (
        f"python -m bertmini pretrain --corpus {Path(run['corpus']).name} --out CHECKPOINT --preset {run['preset']}"
    )
    return "\n".join(
        [
            "```",
            f"{pretrain} --max-length {run['max_length']} \\",
            f"    --batch-size {run['batch_size']} --steps {run['steps']} --threads {run['threads'] or 1} "
            f"--optimizer {run['optimizer']} --learning-rate {run['learning_rate']:g} --warmup {run['warmup']:g} \\",
            f"    --schedule {run['schedule']}",
            f"python benchmarks/polarity.py CHECKPOINT {files}",
            "```",
        ]
    )


def report(scores: Sequence[Score], sizes: Sequence[int], asked: argparse.Namespace) -> str:
    """Lay out what was found, and how to do it again."""
    run = json.loads((asked.checkpoint / "run.json").read_text())
    with (asked.checkpoint / "log.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    rows = [
        [score.name, percent(score.dev), percent(score.test), each_seed(score.test), score.recipe] for score in scores
    ]
    tuned, scratch = (statistics.mean(score.test) for score in scores[:2])
    error = (tuned * (1 - tuned) / sizes[2]) ** 0.5
    return "\n\n".join(
        [
            "# Pretraining against none, on labelled sentences",
            circumstances(torch.device("cpu")),
            f"Data: {asked.train.parent.name}, two classes; {sizes[0]:,} sentences to train on, {sizes[1]:,} to choose "
            f"by, {sizes[2]:,} to test.\nThe checkpoint: {Path(run['corpus']).parent.name}, preset {run['preset']}, "
            f"{run['steps']:,} steps of {run['batch_size']} rows of {run['max_length']} tokens; held-out masked loss "
            f"{float(last['held_out_mlm_loss']):.2f} nats.",
            commands(run, asked),
            table(["system", "dev, %", "test, %", "each seed", "chosen on dev"], rows),
            f"Pretrained is {100 * (tuned - scratch):+.1f} points from scratch on the test file. ± is the standard "
            f"deviation over {asked.seeds} seeds;\nbesides, {sizes[2]:,} sentences leave a standard error of "
            f"{100 * error:.1f} points to each figure. dev is what the settings were chosen\nby, and so a little too "
            "good.",
        ]
    )


def main() -> None:
    """Score all systems."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="a folder that pretrain wrote")
    for name in ("train", "dev", "test"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--text-column", default="1")
    parser.add_argument("--label-column", default="2")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, choices=SYSTEMS, help="which to run (default all)")
    parser.add_argument("--record", type=Path, help="a file of scores that are there already, or will be")
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)

    columns = {"text": asked.text_column, "label": asked.label_column}
    files = [read_labelled(path, **columns) for path in (asked.train, asked.dev, asked.test)]
    settings = FinetuningSettings(
        checkpoint=asked.checkpoint,
        train=asked.train,
        eval=asked.dev,
        text_column=asked.text_column,
        label_column=asked.label_column,
        epochs=asked.epochs,
    )
    systems: dict[str, Callable[[], Score]] = {
        "pretrained": lambda: score_bert(settings, files[2], asked.seeds, asked.record),
        "scratch": lambda: score_bert(replace(settings, from_scratch=True), files[2], asked.seeds, asked.record),
        "words": lambda: score_bag(files, 1),
        "pairs": lambda: score_bag(files, 2),
    }
    scores = [recorded(name, systems[name], asked.record) for name in systems if name in asked.systems]
    if len(scores) < len(systems):
        return
    text = report(scores, [len(examples) for examples in files], asked)
    publish(text, asked.write)


if __name__ == "__main__":
    main()
