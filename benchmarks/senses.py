"""Which sense of *bank*, *seal* or *mole* can be read off a nano BERT, layer by layer: five seeds, and untrained.

Each model is pretrained as in chapters 00 and 13 and never fine-tuned. Two readers are given the states of one half of
the openings with their senses, and asked about the other half: the nearest centroid, and a line fitted by least
squares. Where the opening names the place, its sense is certain; where it does not, the best possible guess is the
commoner one.

    python benchmarks/senses.py --write senses.md
"""

import argparse
from collections.abc import Callable

import torch
import torch.nn.functional as F
from common import circumstances, store, table
from microworld_tasks import Senses, Workshop
from torch import Tensor, nn
from youth import PLAIN

from bertmini import WordPieceTokenizer, World, train
from bertmini.model.pretraining import BertForPreTraining
from bertmini.runs.materials import make_stream
from bertmini.runs.pretrain import build_model, make_recipe
from bertmini.runs.settings import choose_settings
from bertmini.runs.world import WorldPairs

SEEDS = 5
Reader = Callable[[Tensor, Tensor, Tensor], Tensor]


def nearest_centroid(states: Tensor, senses: Tensor, asked: Tensor) -> Tensor:
    """The sense whose mean state is nearest: (N, E), (N,), (M, E) to (M,)."""
    means = torch.stack([states[senses == sense].mean(0) for sense in (0, 1)])
    return torch.cdist(asked, means).argmin(1)


def line(states: Tensor, senses: Tensor, asked: Tensor) -> Tensor:
    """The same by least squares."""
    inputs, new = (F.pad(part.double(), (0, 1), value=1.0) for part in (states, asked))
    square = inputs.T @ inputs + 1e-4 * torch.eye(inputs.shape[1])
    return (new @ torch.linalg.solve(square, inputs.T @ (2 * senses - 1).double()) > 0).long()


def read(senses: Senses, model: nn.Module, layer: int, reader: Reader) -> tuple[float, float]:
    """How often a reader is right, where the place is named and where it is not."""
    with torch.inference_mode():
        states = model.bert.eval()(**senses.batch, output_hidden_states=True).hidden_states[layer]  # type: ignore[operator, union-attr]
    guesses = []
    for row, column, truth, _ in senses.nouns:
        found, learned = states[row, column], row < senses.half
        guesses.append(reader(found[learned], truth[learned], found))
    return senses.score(guesses)


def make_models(seed: int) -> dict[str, BertForPreTraining]:
    """A model of random weights, and the same after 2,000 steps."""
    world = World.default()
    tokenizer = WordPieceTokenizer.from_vocab(world.vocabulary())
    settings = choose_settings({"steps": 2_000, "batch_size": 64, "learning_rate": 3e-3, "seed": seed} | PLAIN)
    untrained, trained = (build_model(settings, len(tokenizer), tokenizer.pad_id) for _ in range(2))
    stream = make_stream(WorldPairs(world), tokenizer, settings)
    train(trained, stream, make_recipe(settings), device="cpu", progress=False)
    return {"trained": trained, "untrained": untrained}


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    senses = Senses(Workshop())
    readers: dict[str, Reader] = {"nearest centroid": nearest_centroid, "line": line}
    found: dict[tuple[str, str, int], list[tuple[float, float]]] = {}
    for seed in range(SEEDS):
        for name, model in make_models(seed).items():
            for by, reader in readers.items():
                for layer in range(3):
                    found.setdefault((name, by, layer), []).append(read(senses, model, layer, reader))
        print(seed, {key: scores[-1] for key, scores in found.items()}, flush=True)
    rows = [
        [*map(str, key), *(" ".join(f"{score[place]:.3f}" for score in scores) for place in (0, 1))]
        for key, scores in found.items()
    ]
    for name, pair in {"best possible": senses.best(), "always the commoner": senses.commonest()}.items():
        rows.append([name, "", "", *(f"{value:.3f}" for value in pair)])
    heading = ["model", "read by", "layer", "place named, by seed", "not named, by seed"]
    notes = f"2,000 steps of 64 pairs, seeds 0 to {SEEDS - 1}; shares right."
    report = "\n\n".join(["# Senses, layer by layer", circumstances(torch.device("cpu")), notes, table(heading, rows)])
    print("\n" + report)
    if asked.write:
        store(asked.write, report)


if __name__ == "__main__":
    main()
