"""How fast a nano BERT comes near the exact optimum of the microworld, and what it then knows of each phenomenon.

The first table: KL from the optimum after about 30 and about 100 seconds of wall time, five seeds, median and spread.
The second: for each kind of hidden word, how often the best possible guess, a trained model, an untrained one and
chance are right, three seeds. A guess is judged by its exact probability, not by the luck of the draw.

    python benchmarks/microworld.py --write microworld.md
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from common import circumstances, store, table
from torch import Tensor

from bertmini.commands.pretrain import build_model, make_recipe
from bertmini.commands.settings import WORLD_SETTINGS, Settings
from bertmini.commands.world import world_materials
from bertmini.data.masking import IGNORED
from bertmini.data.pairs import Pair as IdPair
from bertmini.data.pretraining import Batch, lay_out
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import Corruption, Floor, Pair, World, split_generator
from bertmini.model.heads import BertForPreTraining
from bertmini.training import train


class Run(NamedTuple):
    """One trained model, how long that took, and how far it is from the optimum."""

    model: BertForPreTraining
    seconds: float
    kl: float
    standard_error: float


def train_once(settings: Settings, threads: int) -> Run:
    """Train as `pretrain` does, without checkpoints, and measure once at the end."""
    torch.set_num_threads(threads)
    materials = world_materials(settings)
    model = build_model(settings, len(materials.tokenizer), materials.tokenizer.pad_id)
    recipe = replace(make_recipe(settings), evaluate_every=None, checkpoint_every=None)
    begin = time.perf_counter()
    train(model, materials.stream, recipe, device="cpu", progress=False)
    seconds = time.perf_counter() - begin
    with torch.inference_mode():
        figures = materials.evaluation(model)
    return Run(model, seconds, figures["kl"], figures["kl_error"])


# A phenomenon: in which kind of document, in which slot, and which pairs count.
PHENOMENA: dict[str, tuple[str, Callable[[Pair, int], bool]]] = {
    "work known from its object (right context)": ("Act", lambda pair, place: said(pair, place, WORK)),
    "pronoun of the named person": ("Act", lambda pair, place: said(pair, place, {"she", "he"})),
    "discourse marker": ("Act", lambda pair, place: slot(pair, place).startswith("Marker")),
    "number of the verb, no attractor": ("Scene", lambda pair, place: is_verb(pair, place) and nouns(pair) == 1),
    "number of the verb, one attractor": ("Scene", lambda pair, place: is_verb(pair, place) and nouns(pair) == 2),
    "number of the verb, two attractors": ("Scene", lambda pair, place: is_verb(pair, place) and nouns(pair) == 3),
    "state of the topic": ("Scene", lambda pair, place: slot(pair, place).startswith("State")),
    "verdict, plain claim": ("Verdict", lambda pair, place: is_verdict(pair, place) and not negated(pair)),
    "verdict, negated claim (XOR)": ("Verdict", lambda pair, place: is_verdict(pair, place) and negated(pair)),
}
WORK = {"read", "drank", "fed", "fixed"}


def slot(pair: Pair, place: int) -> str:
    """Name the slot of a piece of the second sentence."""
    return pair.labels[1][place].slot


def said(pair: Pair, place: int, words: set[str]) -> bool:
    """Say whether the piece is one of some words."""
    return pair.pieces[1][place] in words


def is_verb(pair: Pair, place: int) -> bool:
    """Say whether the piece agrees in number."""
    return slot(pair, place).startswith("Be[")


def is_verdict(pair: Pair, place: int) -> bool:
    """Say whether the piece tells what the public did."""
    return slot(pair, place).startswith("Did")


def nouns(pair: Pair) -> int:
    """Count the nouns of the second sentence: the subject and its attractors."""
    return sum(label.slot.startswith("Noun") for label in pair.labels[1])


def negated(pair: Pair) -> bool:
    """Say whether the claim has a not."""
    return "not" in pair.pieces[0]


def blank(pairs: list[tuple[Pair, int]], tokenizer: WordPieceTokenizer) -> Batch:
    """Lay true pairs out with one piece of each second sentence hidden."""
    ids = tokenizer.vocab
    made = [IdPair([ids[p] for p in pair.pieces[0]], [ids[p] for p in pair.pieces[1]], 0) for pair, _ in pairs]
    batch = lay_out([[pair] for pair in made], tokenizer)
    labels = torch.full_like(batch["input_ids"], IGNORED)
    rows = torch.arange(len(pairs))
    places = torch.tensor([len(pair.pieces[0]) + 2 + place for pair, place in pairs])
    labels[rows, places] = batch["input_ids"][rows, places]
    batch["input_ids"][rows, places] = tokenizer.mask_id
    return batch | {"labels": labels}


def accuracies(world: World, models: dict[str, BertForPreTraining]) -> dict[str, list[float]]:
    """For each phenomenon, how often the best possible guess, then each model's, is right, and the number of cases."""
    tokenizer = WordPieceTokenizer.from_vocab(world.vocabulary())
    floor = Floor.pairs(world, corruption=Corruption(rate=0.0))
    drawn = [pair for pair in world.sample_pairs(12_000, generator=split_generator("test")) if pair.label == 0]
    found: dict[str, list[float]] = {}
    for name, (kind, counts) in PHENOMENA.items():
        cases = [
            (pair, place)
            for pair in drawn
            if kind in pair.places[1]
            for place in range(len(pair.pieces[1]))
            if counts(pair, place)
        ][:400]
        batch = blank(cases, tokenizer)
        best = floor.words(batch)
        row = [float(best.accuracy.mean())]
        for model in models.values():
            with torch.inference_mode():
                logits: Tensor = model.eval()(**batch).prediction_logits
            row.append(float(best.probabilities.gather(1, logits.argmax(1, keepdim=True)).mean()))
        found[name] = [*row, float(best.probabilities.mean(0).max()), len(cases)]
    return found


def speed(goals: dict[str, Settings], seeds: int, threads: int) -> tuple[str, list[BertForPreTraining]]:
    """Train each goal's recipe with several seeds: a table, and the models of the last goal."""
    rows, runs = [], []
    for name, settings in goals.items():
        runs = [train_once(replace(settings, seed=seed), threads) for seed in range(seeds)]
        seconds, kls = ([getattr(run, field) for run in runs] for field in ("seconds", "kl"))
        rows.append(
            [
                name,
                f"{settings.steps} x {settings.batch_size}",
                f"{statistics.median(seconds):.0f} ({min(seconds):.0f} to {max(seconds):.0f})",
                f"{statistics.median(kls):.4f} ({min(kls):.4f} to {max(kls):.4f})",
                f"{max(run.standard_error for run in runs):.4f}",
            ]
        )
        print(rows[-1], flush=True)
    heading = ["goal", "steps x pairs", "seconds, median (range)", "KL in nats, median (range)", "standard error"]
    return table(heading, rows), [run.model for run in runs]


def phenomena(world: World, trained: list[BertForPreTraining]) -> str:
    """Make the table of phenomena: median over the seeds, and the range of the trained models."""
    models = {f"trained {number}": model for number, model in enumerate(trained[:3])}
    models["untrained"] = build_model(WORLD_SETTINGS, len(world.vocabulary()), 0)
    rows = []
    for name, (best, *guesses, commonest, cases) in accuracies(world, models).items():
        *after, before = guesses
        middle = f"{statistics.median(after):.1%} ({min(after):.1%} to {max(after):.1%})"
        rows.append([name, f"{best:.1%}", middle, f"{before:.1%}", f"{commonest:.1%}", f"{cases:.0f}"])
    heading = ["hidden word", "best possible", "trained, median (range)", "untrained", "always the commonest", "cases"]
    return table(heading, rows)


def main() -> None:
    """Print both tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--short", type=int, default=1_800, help="steps for the first goal")
    parser.add_argument("--long", type=int, default=6_000, help="steps for the second goal")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    world = World.default()
    base = replace(WORLD_SETTINGS, batch_size=asked.batch_size)
    goals = {"30 seconds": replace(base, steps=asked.short), "100 seconds": replace(base, steps=asked.long)}
    distances, trained = speed(goals, asked.seeds, asked.threads)
    torch.set_num_threads(asked.threads)
    parts = [
        "# A nano BERT in the microworld",
        circumstances(torch.device("cpu")),
        distances,
        phenomena(world, trained),
    ]
    print("\n\n".join(parts))
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
