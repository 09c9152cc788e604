"""What learning rate, batch, size and length of the text do to pretraining: the sweeps that chapter 07 reads.

Each part stores its own sections, so that a long afternoon can be spent in pieces:

    python benchmarks/pretraining.py rates --batch-sizes 16     # KL from the optimum, three seeds each
    python benchmarks/pretraining.py sizes --steps 400          # one layer or two, 32 wide or 64
    python benchmarks/pretraining.py lengths --steps 900        # real text: pairs of 32 tokens beside pairs of 128

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
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import World
from bertmini.model.pretraining import BertForPreTraining
from bertmini.runs.fill_mask import fill_mask
from bertmini.runs.materials import make_stream, text_materials
from bertmini.runs.pretrain import build_model
from bertmini.runs.settings import MICROWORLD, PretrainingSettings
from bertmini.runs.world import WorldEvaluation, WorldPairs, evaluate_world
from bertmini.training import Recipe, train

SEEDS = (0, 1, 2)
RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
PAIRS = 9_600  # read by every run of the sweep over learning rates, whatever its batch
QUESTIONS = (
    "If the argument is not a string, a [MASK] is raised.",
    "Return the [MASK] of the file.",
    "The default value is [MASK].",
)
SHAPES = ((1, 32), (2, 32), (1, 64), (2, 64))
FILE = "pretraining.md"

# The plain recipe of chapter 07, whatever the command line's defaults are.
PLAIN = PretrainingSettings(
    corpus=MICROWORLD, preset="nano", steps=500, batch_size=64, learning_rate=5e-3, max_length=64, dropout=0.0
)
PLAIN_TEXT = replace(PLAIN, corpus="library-docs", preset="tiny", batch_size=128, learning_rate=2e-3, max_length=32)


class Trial(NamedTuple):
    """How a run of the microworld ended: KL from the optimum in nats (infinite if it diverged), and its seconds."""

    kl: float
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

    def run(self, settings: PretrainingSettings, model: BertForPreTraining) -> Trial:
        """Train a model from the beginning and measure it once, at the end."""
        stream = make_stream(WorldPairs(self.world), self.tokenizer, settings)
        recipe = Recipe(steps=settings.steps, learning_rate=settings.learning_rate)
        begin = time.perf_counter()
        try:
            train(model, stream, recipe, device="cpu", progress=False)
        except FloatingPointError:
            return Trial(math.inf, time.perf_counter() - begin)
        seconds = time.perf_counter() - begin
        with torch.inference_mode():
            return Trial(self.evaluation(model)["kl"], seconds)


def shaped(settings: PretrainingSettings, layers: int, width: int, vocab_size: int) -> BertForPreTraining:
    """Build a nano BERT of another shape, its initial weights as large as its width asks for."""
    nano = PRESETS["nano"]
    config = replace(
        nano,
        vocab_size=vocab_size,
        num_hidden_layers=layers,
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


def sizes(laboratory: Laboratory, steps: int, learning_rates: Sequence[float]) -> Iterator[tuple[str, str]]:
    """Try four shapes, each with several learning rates; after each, the title of a section and its text so far."""
    heading = ["layers x width", "parameters", "learning rate", *(f"KL, seed {seed}" for seed in SEEDS), "seconds"]
    title = "Sizes, learning rates " + " and ".join(f"{rate:g}" for rate in learning_rates)
    text = f"{steps} steps of {PLAIN.batch_size} pairs."
    rows: list[list[str]] = []
    for layers, width in SHAPES:
        for rate in learning_rates:
            trials = []
            for seed in SEEDS:
                settings = replace(PLAIN, steps=steps, learning_rate=rate, seed=seed)
                model = shaped(settings, layers, width, len(laboratory.tokenizer))
                trials.append(laboratory.run(settings, model))
            parameters = sum(parameter.numel() for parameter in model.parameters())
            rows.append([f"{layers} x {width}", f"{parameters:,}", f"{rate:g}", *in_cells(trials)])
            print(rows[-1], flush=True)
            yield title, f"{text}\n\n{table(heading, rows)}"


def lengths(steps: int) -> list[tuple[str, str]]:
    """Train on library documentation from pairs of 32 and of 128 tokens, as many tokens a step; then fill in blanks."""
    columns: dict[int, list[float]] = {}
    guesses: dict[int, list[str]] = {}
    where: list[int] = []
    for length in (32, 128):
        settings = replace(PLAIN_TEXT, steps=steps, max_length=length, batch_size=128 * 32 // length)
        materials = text_materials(settings)
        model = build_model(settings, len(materials.tokenizer), materials.tokenizer.pad_id)
        recipe = Recipe(steps=steps, learning_rate=settings.learning_rate, precision="auto", evaluate_every=50)
        history = train(model, materials.stream, recipe, device="cpu", evaluate=materials.evaluation, progress=False)
        where, losses = history.column("held_out_mlm_loss")
        columns[length] = [loss - materials.evaluation.baselines.unigram_loss for loss in losses]
        found = [fill_mask(model, materials.tokenizer, question, best=3)[0] for question in QUESTIONS]
        guesses[length] = [", ".join(f"{guess.piece} {guess.probability:.2f}" for guess in three) for three in found]
        print(length, materials.evaluation.baselines, losses, guesses[length], flush=True)
    rows = [[str(step), *(f"{columns[length][i]:.2f}" for length in columns)] for i, step in enumerate(where)]
    answers = [[question, *(guesses[length][i] for length in guesses)] for i, question in enumerate(QUESTIONS)]
    names = [f"pairs of {length}" for length in columns]
    text = (
        f"Library documentation, preset {PLAIN_TEXT.preset}, learning rate {PLAIN_TEXT.learning_rate:g}, "
        f"{128 * 32:,} tokens a step, one seed. Held-out masked-LM loss minus that of the piece frequencies, in nats."
    )
    return [
        ("Lengths", f"{text}\n\n{table(['step', *names], rows)}"),
        ("Blanks", f"After these {steps} steps.\n\n{table(['sentence', *names], answers)}"),
    ]


def put(title: str, text: str) -> None:
    """Replace one section of the stored results, and say under which circumstances it was made."""
    path = RESULTS / FILE
    old = path.read_text(encoding="utf-8") if path.exists() else "# Pretraining: learning rate, batch, size, length\n"
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
    parser.add_argument("part", choices=("rates", "sizes", "lengths"))
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[16, 64, 256])
    parser.add_argument("--steps", type=int, default=500, help="of each run of sizes and of lengths")
    parser.add_argument("--learning-rates", nargs="+", type=float, default=[2e-3, 5e-3], help="of sizes")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.part == "rates":
        laboratory = Laboratory()
        for batch_size in asked.batch_sizes:
            for section in rates(laboratory, batch_size):
                put(*section)
    elif asked.part == "sizes":
        for section in sizes(Laboratory(), asked.steps, asked.learning_rates):
            put(*section)
    else:
        for section in lengths(asked.steps):
            put(*section)


if __name__ == "__main__":
    main()
