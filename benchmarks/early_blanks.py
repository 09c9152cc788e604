"""Chapter 00's run with and without twice as many blanks in the first third of its steps, five seeds.

    python benchmarks/early_blanks.py --write early_blanks.md

Everything else is equal: world, model, 1,600 steps of 64 pairs, learning rate, the seed of weights and data. *Verb* is
the mean probability of the right verb where only a word after the blank tells it (chance: a quarter), *found* the first
step, by hundreds, at which it is over 0.7.
"""

import argparse
from itertools import product
from statistics import median
from typing import NamedTuple

import torch
from common import circumstances, publish, spread, table
from torch import nn

from bertmini import Recipe, WordPieceTokenizer, World, fill_mask, train
from bertmini.model.pretraining import BertForPreTraining
from bertmini.runs.materials import make_stream
from bertmini.runs.pretrain import build_model
from bertmini.runs.settings import choose_settings
from bertmini.runs.world import WorldPairs, evaluate_world

SEEDS, SHARES = (1, 2, 3, 4, 5), (0.0, 0.3)
STEPS, PAIRS = 1_600, 64
OBJECTS = {"read": "map book poem", "drank": "tea milk coffee", "fed": "goat cat parrot", "fixed": "clock lamp kettle"}
FOUND = 0.7


class Run(NamedTuple):
    """What is left of a run: the verb at its end, when it was found, the distance to the floor, seconds."""

    verb: float
    found: int | None
    kl: float
    seconds: float


def right_verb(model: BertForPreTraining, tokenizer: WordPieceTokenizer) -> float:
    """Compute the mean probability of the right verb in twelve sentences."""
    asked = [(verb, f"then she [MASK] the old {thing} at noon.") for verb in OBJECTS for thing in OBJECTS[verb].split()]
    found = []
    for verb, second in asked:
        (guesses,) = fill_mask(model, tokenizer, "ada saw the boats.", second, best=len(tokenizer))
        found += [guess.probability for guess in guesses if guess.piece == verb]
    return sum(found) / len(asked)


def run_once(share: float, seed: int) -> Run:
    """Train as chapter 00 does."""
    world = World.default()
    tokenizer = WordPieceTokenizer.from_vocab(world.vocabulary())
    settings = choose_settings(
        {"preset": "nano", "steps": STEPS, "batch_size": PAIRS, "early_share": share, "seed": seed}
    )
    model = build_model(settings, len(tokenizer), tokenizer.pad_id)

    def ask(trained: nn.Module) -> dict[str, float]:
        return {"verb": right_verb(trained, tokenizer)}  # type: ignore[arg-type]

    recipe = Recipe(steps=STEPS, learning_rate=3e-3, weight_decay=0.0, evaluate_every=100)
    stream = make_stream(WorldPairs(world), tokenizer, settings)
    history = train(model, stream, recipe, evaluate=ask, device="cpu", progress=False)
    with torch.inference_mode():
        kl = evaluate_world(world, tokenizer, settings.max_length)(model)["kl"]
    steps, verbs = history.column("verb")
    found = next((step for step, verb in zip(steps, verbs, strict=True) if verb > FOUND), None)
    return Run(verbs[-1], found, kl, history.rows[-1]["seconds"])


def main() -> None:
    """Run every setting with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="NAME", help="store the report under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    runs = {(share, seed): run_once(share, seed) for share, seed in product(SHARES, SEEDS)}
    rows = []
    for share in SHARES:
        some = [runs[share, seed] for seed in SEEDS]
        steps = ", ".join("never" if run.found is None else f"{run.found:,}" for run in some)
        rows.append([
            "twice in the first 30 %" if share else "as many throughout",
            spread([run.verb for run in some], ".2f"), steps, spread([run.kl for run in some], ".3f"),
            f"{median(run.seconds for run in some):.0f}",
        ])  # fmt: skip
    heading = ["blanks", "verb", "found at step, by seed", "distance to the floor, nats", "seconds"]
    settings = f"{circumstances(torch.device('cpu'))}\n\n{len(SEEDS)} seeds, {STEPS:,} steps of {PAIRS} pairs."
    publish(f"# More blanks at first\n\n{settings}\n\n{table(heading, rows)}", asked.write)


if __name__ == "__main__":
    main()
