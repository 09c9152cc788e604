"""What learning rate, batch, width, warm-up, a missing line and the grouping do to pretraining: chapter 07 reads this.

Each part stores its own sections, so that a long afternoon can be spent in pieces:

    python benchmarks/pretraining.py rates                      # one grid of rates, three widths and three batches
    python benchmarks/pretraining.py short                      # the same rates, judged after fewer steps
    python benchmarks/pretraining.py collapse                   # loss and gradient norm at a rate that is too high
    python benchmarks/pretraining.py lines                      # the loop without one of its lines
    python benchmarks/pretraining.py warmup                     # a tenth of the steps, or none, at two widths
    python benchmarks/pretraining.py grouping                   # who shares a batch; what is stored is not run again

Everywhere five seeds, one thread, two layers, no dropout. A run whose loss is no longer finite is written as inf. One
that ends no better than the unigram distribution has collapsed: it has learned nothing from the sentences.
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import torch
from common import RESULTS, circumstances, store, table
from torch import nn

from bertmini.config import PRESETS
from bertmini.data.masking import Masking
from bertmini.data.pairs import Pair
from bertmini.data.pretraining import PretrainingStream, length
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import World
from bertmini.model.pretraining import BertForPreTraining
from bertmini.runs.materials import make_stream
from bertmini.runs.pretrain import build_model
from bertmini.runs.settings import MICROWORLD, PretrainingSettings
from bertmini.runs.world import WorldEvaluation, WorldPairs, evaluate_world
from bertmini.training.loop import train
from bertmini.training.optim import make_optimizer, set_learning_rate
from bertmini.training.recipe import Recipe

SEEDS = (0, 1, 2, 3, 4)
RATES = (1.25e-3, 2.5e-3, 5e-3, 1e-2, 2e-2)  # one grid for everything, a factor of 2 from rate to rate
PAIRS = 9_600  # read by every run of the sweep over learning rates, whatever its batch
SHAPES = ((64, 64), (64, 16), (64, 256), (32, 64), (128, 64))  # width, pairs in a batch
SHORT = (40, 100)  # steps
COLLAPSING, SOUND = 4e-2, 5e-3  # learning rates
LAST = 50  # steps over which a curve is called calm or not
WARMUP_WIDTHS = (32, 64)
WARMUP_RATES = (5e-3, 1e-2, 2e-2)
WARMUPS = (0.1, 0.0)
FILE, CURVES = "pretraining.md", "pretraining_collapse.csv"

# The plain recipe of chapter 07, whatever the command line's defaults are.
PLAIN = PretrainingSettings(
    corpus=MICROWORLD, preset="nano", steps=300, batch_size=64, learning_rate=5e-3, max_length=64, dropout=0.0
)


class Trial(NamedTuple):
    """How a run of the microworld ended: distance from the best possible in nats (inf if diverged), and its seconds."""

    kl: float
    next_sentence: float
    seconds: float


class Laboratory:
    """The microworld, its tokenizer, and the evaluation that all runs share."""

    def __init__(self) -> None:
        """Compute the floor once."""
        self.world = World.default()
        self.tokenizer = WordPieceTokenizer.from_vocab(self.world.vocabulary())
        self.evaluation: WorldEvaluation = evaluate_world(self.world, self.tokenizer, PLAIN.max_length)

    @property
    def unigram(self) -> float:
        """Say how far from the best possible the unigram distribution is, in nats."""
        return self.evaluation.baselines.unigram_loss - self.evaluation.floor["held_out_mlm_loss"]

    def run(
        self,
        settings: PretrainingSettings,
        model: BertForPreTraining,
        *,
        warmup: float = Recipe.warmup,
        stream: PretrainingStream | None = None,
    ) -> Trial:
        """Train a model from the beginning and measure it once, at the end."""
        stream = stream or make_stream(WorldPairs(self.world), self.tokenizer, settings)
        recipe = Recipe(steps=settings.steps, learning_rate=settings.learning_rate, warmup=warmup)
        begin = time.perf_counter()
        try:
            train(model, stream, recipe, device="cpu", progress=False)
        except FloatingPointError:
            return Trial(math.inf, math.nan, time.perf_counter() - begin)
        seconds = time.perf_counter() - begin
        with torch.inference_mode():
            found = self.evaluation(model)
        return Trial(found["kl"], found["next_sentence_accuracy"], seconds)


def widened(settings: PretrainingSettings, width: int, vocab_size: int) -> BertForPreTraining:
    """Build a nano BERT of another width, its initial weights as large as the width asks for."""
    nano = PRESETS["nano"]
    config = replace(
        nano,
        vocab_size=vocab_size,
        hidden_size=width,
        intermediate_size=4 * width,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
        initializer_range=round(nano.initializer_range * math.sqrt(nano.hidden_size / width), 3),
    )
    torch.manual_seed(settings.seed)
    return BertForPreTraining(config)


def in_cells(trials: Sequence[Trial]) -> list[str]:
    """Write the trials of one setting: the KL of each seed, and the middle one of their seconds."""
    seconds = sorted(trial.seconds for trial in trials)[len(trials) // 2]
    return [*(f"{trial.kl:.3f}" for trial in trials), f"{seconds:.0f}"]


def rates(laboratory: Laboratory) -> Iterator[tuple[str, str]]:
    """Try all learning rates with each width and batch; after each seed, the title of a section and its text so far."""
    text = (
        f"Two layers, four heads, {PAIRS:,} pairs in all, a tenth of the steps warm-up, then linear to 0; initial "
        f"weights scaled by one over the root of the width. The unigram distribution alone: KL "
        f"{laboratory.unigram:.3f}."
    )
    trials: dict[tuple[int, int, float], list[Trial]] = {}
    for done, seed in enumerate(SEEDS, start=1):
        for (width, batch_size), rate in product(SHAPES, RATES):
            steps = PAIRS // batch_size
            settings = replace(PLAIN, steps=steps, batch_size=batch_size, learning_rate=rate, seed=seed)
            trial = laboratory.run(settings, widened(settings, width, len(laboratory.tokenizer)))
            trials.setdefault((width, batch_size, rate), []).append(trial)
            print(seed, width, batch_size, rate, trial, flush=True)
        heading = [
            "width",
            "batch",
            "steps",
            "learning rate",
            *(f"KL, seed {seed}" for seed in SEEDS[:done]),
            "seconds",
        ]
        rows = [
            [str(width), str(batch_size), str(PAIRS // batch_size), f"{rate:g}", *in_cells(found)]
            for (width, batch_size, rate), found in trials.items()
        ]
        yield "Learning rates", f"{text}\n\n{table(heading, rows)}"


def short(laboratory: Laboratory) -> Iterator[tuple[str, str]]:
    """Judge the rates by runs that end early, each with its whole schedule; the title of a section and its text."""
    heading = ["steps", "learning rate", *(f"KL, seed {seed}" for seed in SEEDS), "seconds"]
    text = "Width 64, batches of 16 pairs, a tenth of the steps warm-up, then linear to 0."
    rows: list[list[str]] = []
    for steps in SHORT:
        for rate in RATES:
            trials = []
            for seed in SEEDS:
                settings = replace(PLAIN, steps=steps, batch_size=16, learning_rate=rate, seed=seed)
                model = build_model(settings, len(laboratory.tokenizer), laboratory.tokenizer.pad_id)
                trials.append(laboratory.run(settings, model))
            rows.append([str(steps), f"{rate:g}", *in_cells(trials)])
            print(rows[-1], flush=True)
            yield "Short runs", f"{text}\n\n{table(heading, rows)}"


def collapse(laboratory: Laboratory) -> Iterator[tuple[str, str]]:
    """Follow loss and gradient norm at a sound rate and at one that is too high; the title of a section and its text.

    The curves of the first seed go to a file of their own.
    """
    steps = PAIRS // PLAIN.batch_size
    heading = ["learning rate", "seed", "KL", f"loss, mean of the last {LAST}", "spread of these", "gradient norm"]
    text = (
        f"Width 64, {steps} steps of {PLAIN.batch_size} pairs. Spread: the standard deviation of the last {LAST} "
        f"losses; gradient norm: the mean of the last {LAST}, before clipping. The curves of seed 0: `{CURVES}`."
    )
    rows: list[list[str]] = []
    curves: dict[str, list[float]] = {}
    for rate in (SOUND, COLLAPSING):
        for seed in SEEDS:
            settings = replace(PLAIN, learning_rate=rate, seed=seed)
            model = build_model(settings, len(laboratory.tokenizer), laboratory.tokenizer.pad_id)
            stream = make_stream(WorldPairs(laboratory.world), laboratory.tokenizer, settings)
            history = train(model, stream, Recipe(steps=steps, learning_rate=rate), device="cpu", progress=False)
            losses, norms = history.column("loss")[1], history.column("grad_norm")[1]
            if seed == SEEDS[0]:
                curves |= {f"loss at {rate:g}": losses, f"gradient norm at {rate:g}": norms}
            with torch.inference_mode():
                kl = laboratory.evaluation(model)["kl"]
            last = torch.tensor(losses[-LAST:])
            norm = sum(norms[-LAST:]) / LAST
            rows.append([f"{rate:g}", str(seed), f"{kl:.3f}", f"{last.mean():.3f}", f"{last.std():.3f}", f"{norm:.3f}"])
            print(rows[-1], flush=True)
    numbered = enumerate(zip(*curves.values(), strict=True), start=1)
    lines = [",".join(["step", *curves]), *(f"{n}," + ",".join(f"{x:.4f}" for x in row) for n, row in numbered)]
    (RESULTS / CURVES).write_text("\n".join(lines) + "\n", encoding="utf-8")
    yield "Collapse", f"{text}\n\n{table(heading, rows)}"


def damaged_loop(
    model: BertForPreTraining, stream: PretrainingStream, recipe: Recipe, *, forget: bool, clip: bool
) -> None:
    """Train by the plain loop of chapter 07, without its line 2 or 5 if asked."""
    optimizer = make_optimizer(model)
    model.train()
    for step in range(1, recipe.steps + 1):
        set_learning_rate(optimizer, recipe.learning_rate_at(step))
        if forget:
            optimizer.zero_grad()
        model(**next(stream)).loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
        optimizer.step()
    model.eval()


def lines(laboratory: Laboratory) -> Iterator[tuple[str, str]]:
    """Train without a line of the loop, in two settings; after each row, the title of a section and its text so far."""
    arms = {
        "all six lines": {"forget": True, "clip": True},
        "without line 5": {"forget": True, "clip": False},
        "without line 2": {"forget": False, "clip": True},
        "without both": {"forget": False, "clip": False},
    }
    heading = ["steps", "batch", "learning rate", "loop", *(f"KL, seed {seed}" for seed in SEEDS)]
    text = "Width 64."
    rows: list[list[str]] = []
    for steps, batch_size, rate in ((300, 32, 5e-3), (600, 16, 3e-3)):
        for name, arm in arms.items():
            row = [str(steps), str(batch_size), f"{rate:g}", name]
            for seed in SEEDS:
                settings = replace(PLAIN, steps=steps, batch_size=batch_size, learning_rate=rate, seed=seed)
                model = build_model(settings, len(laboratory.tokenizer), laboratory.tokenizer.pad_id)
                stream = make_stream(WorldPairs(laboratory.world), laboratory.tokenizer, settings)
                damaged_loop(model, stream, Recipe(steps=steps, learning_rate=rate), **arm)
                with torch.inference_mode():
                    row.append(f"{laboratory.evaluation(model)['kl']:.3f}")
            rows.append(row)
            print(row, flush=True)
            yield "Missing lines", f"{text}\n\n{table(heading, rows)}"


def warmups(laboratory: Laboratory) -> Iterator[tuple[str, str]]:
    """Train with and without warm-up at two widths; after each setting, the title of a section and its text so far."""
    heading = ["width", "learning rate", "warm-up", *(f"KL, seed {seed}" for seed in SEEDS), "seconds"]
    text = f"Two layers, {PLAIN.steps} steps of {PLAIN.batch_size} pairs; the warm-up is a share of the steps."
    rows: list[list[str]] = []
    for width in WARMUP_WIDTHS:
        for rate in WARMUP_RATES:
            for warmup in WARMUPS:
                trials = []
                for seed in SEEDS:
                    settings = replace(PLAIN, learning_rate=rate, seed=seed)
                    model = widened(settings, width, len(laboratory.tokenizer))
                    trials.append(laboratory.run(settings, model, warmup=warmup))
                rows.append([str(width), f"{rate:g}", f"{warmup:g}", *in_cells(trials)])
                print(rows[-1], flush=True)
                yield "Warm-up", f"{text}\n\n{table(heading, rows)}"


class MixedStream(PretrainingStream):
    """The same pairs in the same number of batches, but each batch has pairs of all lengths and both labels."""

    def _groups(self, pairs: Sequence[Pair], generator: torch.Generator) -> list[list[Pair]]:
        order = torch.randperm(len(pairs), generator=generator).tolist()
        size = self.batch_size
        return [[pairs[i] for i in order[begin : begin + size]] for begin in range(0, len(pairs) // size * size, size)]


class BalancedStream(PretrainingStream):
    """Pairs of like length in a batch, sorted for each label apart, so that a batch has about as many of both."""

    def _groups(self, pairs: Sequence[Pair], generator: torch.Generator) -> list[list[Pair]]:
        count = len(pairs) // self.batch_size
        shuffled = [pairs[i] for i in torch.randperm(len(pairs), generator=generator).tolist()]
        groups: list[list[Pair]] = [[] for _ in range(count)]
        for label in (0, 1):
            alike = sorted((pair for pair in shuffled if pair.next_sentence_label == label), key=length)
            for i, pair in enumerate(alike):
                groups[i * count // len(alike)].append(pair)
        return [groups[i] for i in torch.randperm(count, generator=generator).tolist()]


class LopsidedStream(PretrainingStream):
    """Pairs of all lengths in a batch, but as many of each label as a batch of like lengths would have."""

    def _groups(self, pairs: Sequence[Pair], generator: torch.Generator) -> list[list[Pair]]:
        alike = super()._groups(pairs, generator)
        order = torch.randperm(len(pairs), generator=generator).tolist()
        waiting = {label: [pairs[i] for i in order if pairs[i].next_sentence_label == label] for label in (0, 1)}
        return [[waiting[pair.next_sentence_label].pop() for pair in group] for group in alike]


def padding(stream: PretrainingStream, batches: int = 64) -> float:
    """Measure the share of a stream's positions that are padding."""
    masks = [next(stream)["attention_mask"] for _ in range(batches)]
    return 1 - sum(int((mask > 0).sum()) for mask in masks) / sum(mask.numel() for mask in masks)


def grouping(laboratory: Laboratory) -> Iterator[tuple[str, str]]:
    """Train on batches of like lengths and on mixed ones; the title of a section and its text."""
    heading = ["batches", "padding", "measured", *(f"seed {seed}" for seed in SEEDS), "seconds"]
    text = (
        f"{PLAIN.steps} steps of {PLAIN.batch_size} pairs, learning rate {PLAIN.learning_rate:g}. Best possible "
        f"next-sentence accuracy: {laboratory.evaluation.floor['next_sentence_accuracy']:.3f}."
    )
    rows = stored_rows("Grouping")  # of ways that were measured before
    source = WorldPairs(laboratory.world)
    kinds = {
        "like lengths": PretrainingStream,
        "like lengths, both labels": BalancedStream,
        "mixed lengths, one label": LopsidedStream,
        "mixed": MixedStream,
    }
    known = {row[0] for row in rows}
    for name, kind in ((name, kind) for name, kind in kinds.items() if name not in known):

        def stream(seed: int, kind: type[PretrainingStream] = kind) -> PretrainingStream:
            masking = Masking(laboratory.tokenizer.pieces)
            shape = {"batch_size": PLAIN.batch_size, "row_length": PLAIN.max_length}
            return kind(source, laboratory.tokenizer, masking, **shape, packed=False, seed=seed)

        trials = []
        for seed in SEEDS:
            settings = replace(PLAIN, seed=seed)
            model = build_model(settings, len(laboratory.tokenizer), laboratory.tokenizer.pad_id)
            trials.append(laboratory.run(settings, model, stream=stream(seed)))
        share = f"{padding(stream(0)):.3f}"
        rows.append([name, share, "KL", *in_cells(trials)])
        accuracies = [f"{trial.next_sentence:.3f}" for trial in trials]
        rows.append([name, share, "next-sentence accuracy", *accuracies, rows[-1][-1]])
        print(rows[-2:], flush=True)
        rows.sort(key=lambda row: list(kinds).index(row[0]))
        yield "Grouping", f"{text}\n\n{table(heading, rows)}"


def stored_rows(title: str) -> list[list[str]]:
    """Read the rows of a section's table from the stored results; none where there is no such section."""
    path = RESULTS / FILE
    section = (
        path.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0] if path.exists() else ""
    )
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def put(title: str, text: str) -> None:
    """Replace one section of the stored results, and say under which circumstances it was made."""
    path = RESULTS / FILE
    begun = "# Pretraining: learning rate, batch, width, warm-up, missing lines, grouping\n"
    old = path.read_text(encoding="utf-8") if path.exists() else begun
    head, *parts = old.split("\n## ")
    sections = dict(part.split("\n", 1) for part in parts)
    sections[title] = f"\n{circumstances(torch.device('cpu'))}\n\n{text}\n"
    written = [f"## {name}\n{sections[name].rstrip()}" for name in sorted(sections)]
    store(FILE, "\n\n".join([head.rstrip(), *written]))


PARTS = {
    "rates": rates, "short": short, "collapse": collapse, "lines": lines, "warmup": warmups, "grouping": grouping,
}  # fmt: skip


def main() -> None:
    """Run one part and store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for section in PARTS[asked.part](Laboratory()):
        put(*section)


if __name__ == "__main__":
    main()
