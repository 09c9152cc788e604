"""What learning rate, batch, width, warm-up and the grouping by length do to pretraining: chapter 07 reads the results.

Each part stores its own sections, so that a long afternoon can be spent in pieces:

    python benchmarks/pretraining.py rates --batch-sizes 16     # KL from the optimum, three seeds each
    python benchmarks/pretraining.py widths                     # two layers, 32, 64 and 128 wide
    python benchmarks/pretraining.py warmup                     # a tenth of the steps, or none, at two widths
    python benchmarks/pretraining.py grouping                   # pairs of like length in one batch, or mixed

Every run is made on one thread. A run whose loss is no longer finite is written as inf. One that ends no better than
the piece frequencies has collapsed: it has learned nothing from the sentences.
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from common import RESULTS, circumstances, store, table

from bertmini.config import PRESETS
from bertmini.data.masking import Masking
from bertmini.data.pairs import Pair
from bertmini.data.pretraining import PretrainingStream
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import World
from bertmini.model.pretraining import BertForPreTraining
from bertmini.runs.materials import make_stream
from bertmini.runs.pretrain import build_model
from bertmini.runs.settings import MICROWORLD, PretrainingSettings
from bertmini.runs.world import WorldEvaluation, WorldPairs, evaluate_world
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

SEEDS = (0, 1, 2)
RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
PAIRS = 9_600  # read by every run of the sweep over learning rates, whatever its batch
WIDTHS = (32, 64, 128)  # of models of two layers
WIDTH_RATES = (2.5e-3, 5e-3, 1e-2, 2e-2)
FEWER_STEPS = 200  # of widths
WARMUP_RATES = (5e-3, 1e-2, 2e-2)
WARMUPS = (0.1, 0.0)
MORE_SEEDS = (0, 1, 2, 3, 4)
FILE = "pretraining.md"

# The plain recipe of chapter 07, whatever the command line's defaults are.
PLAIN = PretrainingSettings(
    corpus=MICROWORLD, preset="nano", steps=300, batch_size=64, learning_rate=5e-3, max_length=64, dropout=0.0
)


class Trial(NamedTuple):
    """How a run of the microworld ended: KL from the optimum in nats (infinite if it diverged), and its seconds."""

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
    def ignorance(self) -> float:
        """Say how far from the optimum the piece frequencies are, in nats."""
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


def rates(laboratory: Laboratory, batch_size: int) -> Iterator[tuple[str, str]]:
    """Try all learning rates with one batch size; after each, the title of a section and its text so far."""
    steps = PAIRS // batch_size
    heading = ["learning rate", *(f"KL, seed {seed}" for seed in SEEDS), "seconds"]
    text = f"{steps} steps, {PAIRS:,} pairs in all. The piece frequencies alone: KL {laboratory.ignorance:.3f}."
    rows: list[list[str]] = []
    for rate in RATES:
        trials = []
        for seed in SEEDS:
            settings = replace(PLAIN, steps=steps, batch_size=batch_size, learning_rate=rate, seed=seed)
            model = build_model(settings, len(laboratory.tokenizer), laboratory.tokenizer.pad_id)
            trials.append(laboratory.run(settings, model))
        rows.append([f"{rate:g}", *in_cells(trials)])
        print(rows[-1], flush=True)
        yield f"Learning rates, batches of {batch_size} pairs", f"{text}\n\n{table(heading, rows)}"


def widths(laboratory: Laboratory) -> Iterator[tuple[str, str]]:
    """Try all learning rates with each width; after each, the title of a section and its text so far."""
    heading = ["width", "parameters", "learning rate", *(f"KL, seed {seed}" for seed in SEEDS), "seconds"]
    text = (
        f"Two layers, {FEWER_STEPS} steps of {PLAIN.batch_size} pairs, initial weights scaled by one over the root of "
        f"the width. The piece frequencies alone: KL {laboratory.ignorance:.3f}."
    )
    rows: list[list[str]] = []
    for width in WIDTHS:
        for rate in WIDTH_RATES:
            trials = []
            for seed in SEEDS:
                settings = replace(PLAIN, steps=FEWER_STEPS, learning_rate=rate, seed=seed)
                model = widened(settings, width, len(laboratory.tokenizer))
                trials.append(laboratory.run(settings, model))
            parameters = sum(parameter.numel() for parameter in model.parameters())
            rows.append([str(width), f"{parameters:,}", f"{rate:g}", *in_cells(trials)])
            print(rows[-1], flush=True)
            yield "Widths", f"{text}\n\n{table(heading, rows)}"


def warmups(laboratory: Laboratory) -> Iterator[tuple[str, str]]:
    """Train with and without warm-up at two widths; after each setting, the title of a section and its text so far."""
    heading = ["width", "learning rate", "warm-up", *(f"KL, seed {seed}" for seed in MORE_SEEDS), "seconds"]
    text = f"Two layers, {PLAIN.steps} steps of {PLAIN.batch_size} pairs; the warm-up is a share of the steps."
    rows: list[list[str]] = []
    for width in WIDTHS[:2]:
        for rate in WARMUP_RATES:
            for warmup in WARMUPS:
                trials = []
                for seed in MORE_SEEDS:
                    settings = replace(PLAIN, learning_rate=rate, seed=seed)
                    model = widened(settings, width, len(laboratory.tokenizer))
                    trials.append(laboratory.run(settings, model, warmup=warmup))
                rows.append([str(width), f"{rate:g}", f"{warmup:g}", *in_cells(trials)])
                print(rows[-1], flush=True)
                yield "Warm-up", f"{text}\n\n{table(heading, rows)}"


class MixedStream(PretrainingStream):
    """The same pairs in the same number of batches, but each batch has pairs of all lengths."""

    def _groups(self, pairs: Sequence[Pair], generator: torch.Generator) -> list[list[Pair]]:
        order = torch.randperm(len(pairs), generator=generator).tolist()
        size = self.batch_size
        return [[pairs[i] for i in order[begin : begin + size]] for begin in range(0, len(pairs) // size * size, size)]


def padding(stream: PretrainingStream, batches: int = 64) -> float:
    """Measure the share of a stream's positions that are padding."""
    masks = [next(stream)["attention_mask"] for _ in range(batches)]
    return 1 - sum(int((mask > 0).sum()) for mask in masks) / sum(mask.numel() for mask in masks)


def grouping(laboratory: Laboratory) -> Iterator[tuple[str, str]]:
    """Train on batches of like lengths and on mixed ones; the title of a section and its text."""
    heading = ["batches", "padding", "measured", *(f"seed {seed}" for seed in MORE_SEEDS), "seconds"]
    text = (
        f"{PLAIN.steps} steps of {PLAIN.batch_size} pairs, learning rate {PLAIN.learning_rate:g}. Best possible "
        f"next-sentence accuracy: {laboratory.evaluation.floor['next_sentence_accuracy']:.3f}."
    )
    rows: list[list[str]] = []
    source = WorldPairs(laboratory.world)
    for name, kind in {"like lengths": PretrainingStream, "mixed": MixedStream}.items():

        def stream(seed: int, kind: type[PretrainingStream] = kind) -> PretrainingStream:
            masking = Masking(laboratory.tokenizer.pieces)
            shape = {"batch_size": PLAIN.batch_size, "row_length": PLAIN.max_length}
            return kind(source, laboratory.tokenizer, masking, **shape, packed=False, seed=seed)

        trials = []
        for seed in MORE_SEEDS:
            settings = replace(PLAIN, seed=seed)
            model = build_model(settings, len(laboratory.tokenizer), laboratory.tokenizer.pad_id)
            trials.append(laboratory.run(settings, model, stream=stream(seed)))
        share = f"{padding(stream(0)):.3f}"
        rows.append([name, share, "KL", *in_cells(trials)])
        accuracies = [f"{trial.next_sentence:.3f}" for trial in trials]
        rows.append([name, share, "next-sentence accuracy", *accuracies, rows[-1][-1]])
        print(rows[-2:], flush=True)
        yield "Grouping", f"{text}\n\n{table(heading, rows)}"


def put(title: str, text: str) -> None:
    """Replace one section of the stored results, and say under which circumstances it was made."""
    path = RESULTS / FILE
    begun = "# Pretraining: learning rate, batch, width, warm-up, grouping\n"
    old = path.read_text(encoding="utf-8") if path.exists() else begun
    head, *parts = old.split("\n## ")
    sections = dict(part.split("\n", 1) for part in parts)
    sections[title] = f"\n{circumstances(torch.device('cpu'))}\n\n{text}\n"
    written = [f"## {name}\n{sections[name].rstrip()}" for name in sorted(sections, key=in_order)]
    store(FILE, "\n\n".join([head.rstrip(), *written]))


def in_order(title: str) -> tuple[str, int]:
    """Sort sections by name, and the learning rates by the size of the batch."""
    number = "".join(filter(str.isdigit, title))
    return title.split(",")[0], int(number or 0)


def main() -> None:
    """Run one part and store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("rates", "widths", "warmup", "grouping"))
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[16, 64, 256])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    laboratory = Laboratory()
    if asked.part == "rates":
        for batch_size in asked.batch_sizes:
            for section in rates(laboratory, batch_size):
                put(*section)
    else:
        for section in {"widths": widths, "warmup": warmups, "grouping": grouping}[asked.part](laboratory):
            put(*section)


if __name__ == "__main__":
    main()
