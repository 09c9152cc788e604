"""Does next-sentence prediction learn content, if it only trains for long enough?

Nano BERTs learn the label of pairs with random negatives, as in `next_sentence.py`, in runs that are longer. On the way
they are asked about held-out pairs of the same kind (loss and accuracy) and about pairs whose false half comes from the
same place of another document, which differ from the true ones in content alone (AUC). Two players are measured on the
same pairs: one who is told the places of both sentences and nothing else, and one who is told everything but the words.
With `--keep FOLDER`, runs that are finished are kept there.

    python benchmarks/next_sentence_longer.py --write next_sentence_longer.md
"""

import argparse
import time
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from common import circumstances, store, table
from next_sentence import TESTED, TOKENIZER, WORLD, Figures, LabelStream, asked_pairs, auc, once, p_next, spread
from torch import Tensor

from bertmini.data.batches import Batch
from bertmini.data.pairs import IS_NEXT
from bertmini.microworld import split_generator
from bertmini.microworld.discourse import Negatives
from bertmini.model.pretraining import BertForPreTraining
from bertmini.runs.pretrain import build_model
from bertmini.runs.settings import WORLD_SETTINGS
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

EVERY = 200
HELD_OUT = 2_000
KINDS: tuple[Negatives, ...] = ("random", "position")


def asked(kind: Negatives) -> Batch:
    """Take the first pairs of those that the shorter runs are asked about."""
    return {name: tensor[:HELD_OUT] for name, tensor in asked_pairs()[kind].batch.items()}


def measure(model: BertForPreTraining) -> Figures:
    """Ask about random negatives and about those from the same place."""
    figures = {}
    for kind in KINDS:
        batch = asked(kind)
        said, true = p_next(model, batch), batch["next_sentence_label"] == IS_NEXT
        if kind == "random":
            figures["loss"] = float(-torch.where(true, said, 1 - said).clamp(min=1e-12).log().mean())
            figures["accuracy"] = float(((said > 0.5) == true).double().mean())
        figures[f"{kind} AUC"] = auc(said[true], said[~true])
    return figures


def long_run(steps: int, seed: int) -> Figures:
    """Train once, and ask on the way."""
    begin = time.process_time()
    config = build_model(WORLD_SETTINGS, len(TOKENIZER), TOKENIZER.pad_id).bert.config
    torch.manual_seed(seed)
    model = BertForPreTraining(config)
    recipe = Recipe(steps=steps, learning_rate=2e-3, warmup=0.05, evaluate_every=EVERY)
    history = train(model, LabelStream("random", seed), recipe, device="cpu", evaluate=measure, progress=False)
    columns = ("loss", "accuracy", "random AUC", "position AUC")
    rows = [row for row in history.rows if all(column in row for column in columns)]
    found = {f"{int(row['step'])}: {column}": float(row[column]) for row in rows for column in columns}
    return found | {"minutes": (time.process_time() - begin) / 60}


def player(seen: list[str]) -> Tensor:
    """Compute P(next) of each couple of sentence types for the best player who sees this much of each sentence."""
    number = {value: i for i, value in enumerate(dict.fromkeys(seen))}
    groups = F.one_hot(torch.tensor([number[value] for value in seen])).double()
    pooled = torch.einsum("lab,ac,bd->lcd", WORLD.pair_distribution("random").joint, groups, groups)
    return groups @ (pooled[IS_NEXT] / pooled.sum(0)).nan_to_num(0.5) @ groups.T


def of_player(score: Tensor, weights: dict[Negatives, Tensor]) -> Figures:
    """Measure a player on pairs of sentence types with these weights: [label, A, B] for each kind of negatives."""
    figures = {}
    for kind, joint in weights.items():
        true, false = (joint[label].flatten() / joint[label].sum() for label in (IS_NEXT, 1 - IS_NEXT))
        if kind == "random":
            right = torch.stack([score, 1 - score])
            figures["loss"] = -float(torch.special.xlogy(joint, right).sum())
            figures["accuracy"] = float(joint[IS_NEXT][score > 0.5].sum() + joint[1 - IS_NEXT][score <= 0.5].sum())
        difference = score.flatten()[:, None] - score.flatten()
        ahead = (difference > 1e-12).double() + (difference.abs() <= 1e-12).double() / 2
        figures[f"{kind} AUC"] = float(true @ ahead @ false)
    return figures


def counted(kind: Negatives) -> Tensor:
    """Count how often each couple of sentence types is among the pairs asked about: [label, A, B], summing to 1."""
    joint = WORLD.pair_distribution(kind).joint
    chosen = torch.multinomial(joint.flatten(), TESTED, replacement=True, generator=split_generator("test"))[:HELD_OUT]
    return torch.bincount(chosen, minlength=joint.numel()).double().reshape(joint.shape) / HELD_OUT


def main() -> None:
    """Print the tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep finished runs here, and do not repeat them")
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs = [
        once(f"longer {given.steps} {seed}", given.keep, partial(long_run, given.steps, seed))
        for seed in range(given.seeds)
    ]
    minutes = sum(figures["minutes"] for figures in runs)
    columns = [column for column in runs[0] if column != "minutes"]
    rows = [[*column.split(": "), spread(runs, column)] for column in columns]
    places = WORLD.pair_distribution("random").places
    players = {
        "places only": player(list(places)),
        "everything": player([str(number) for number in range(len(places))]),
    }
    over: dict[str, dict[Negatives, Tensor]] = {
        "all, exact": {kind: WORLD.pair_distribution(kind).joint for kind in KINDS},
        f"the {HELD_OUT:,} asked about": {kind: counted(kind) for kind in KINDS},
    }
    measured = [(name, pairs, of_player(score, over[pairs])) for name, score in players.items() for pairs in over]
    parts = [
        "# Next-sentence prediction, trained for longer",
        f"{circumstances(torch.device('cpu'))}; {minutes:.0f} minutes of processor time. Seeds 0 to {given.seeds - 1}.",
        f"## runs\n\nNano, the label alone, random negatives, nothing hidden, {given.steps:,} steps of 64 pairs, "
        f"highest learning rate 0.002, falling to 0. Asked about {HELD_OUT:,} pairs.",
        table(["step", "measure", "by seed"], rows),
        "## players\n\nThey know the probabilities of the training pairs, and are told what they see of a sentence.",
        table(
            ["player", "pairs", *measured[0][2]],
            [[name, pairs, *(f"{value:.3f}" for value in found.values())] for name, pairs, found in measured],
        ),
    ]
    print("\n\n".join(parts))
    if given.write:
        store(given.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
