"""What a pair label teaches, and whether a model that has learned it does better elsewhere.

Nano BERTs are pretrained in five ways for equally many steps: masked words (MLM) alone, on pairs of which half are
random, or on true pairs only; and masked words together with the label of the pair, under three kinds of negatives: a
random sentence (BERT's next-sentence prediction), a random sentence from the same place of its document, the same two
sentences swapped (sentence-order prediction). The first table asks each model that has a pair label about the pairs of
all three kinds, on text without blanks. The second fine-tunes all of them. Three seeds, next to the exact best.
With `--keep FOLDER`, runs that are finished are kept there, so that a program that was stopped can go on.

    python benchmarks/next_sentence.py --write next_sentence.md
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, starmap
from pathlib import Path

import torch
from common import circumstances, store, table
from torch import Tensor

from bertmini.data.batches import Batch
from bertmini.data.corpora.sources import Position
from bertmini.data.masking import Masking
from bertmini.data.pairs import IS_NEXT, Pair
from bertmini.data.pretraining import PretrainingStream, lay_out
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import Corruption, Floor, World, WorldDocument, split_generator
from bertmini.microworld.bulk import BulkSampler
from bertmini.microworld.discourse import Negatives
from bertmini.model.encoder import BertModel
from bertmini.model.pretraining import BertForPreTraining
from bertmini.model.tasks import BertForSequenceClassification
from bertmini.runs.pretrain import build_model
from bertmini.runs.settings import WORLD_SETTINGS
from bertmini.training import Recipe, train

SEEDS = range(3)
NEGATIVES: tuple[Negatives, ...] = ("random", "position", "swapped")
TESTED = 4_000
CLEAN = Corruption(rate=0.0)
WORLD = World.default()
TOKENIZER = WordPieceTokenizer.from_vocab(WORLD.vocabulary())

# Pretraining: which negatives, whether they are left out, whether the label of the pair is learned.
ARMS: dict[str, tuple[Negatives, bool, bool]] = {
    "MLM + NSP": ("random", False, True),
    "MLM + position": ("position", False, True),
    "MLM + SOP": ("swapped", False, True),
    "MLM, same pairs": ("random", False, False),
    "MLM, true pairs": ("random", True, False),
}
NOTHING = "not pretrained"
# Task: the kind of document, its label, which value counts as class 1, labelled examples, steps. The second is run for
# two lengths of time, because which way of pretraining looks best depends on it.
TASKS: dict[str, tuple[str, str, str, int, int]] = {
    "polarity": ("polarity", "mood", "good", 64, 80),
    "fits, 250": ("fits", "shared", "1", 1_024, 250),
    "fits, 500": ("fits", "shared", "1", 1_024, 500),
}
Figures = dict[str, float]


class WorldPairs:
    """A source of pairs of the world under one negative sampler; `true_only` leaves the negatives out."""

    def __init__(self, negatives: Negatives, *, true_only: bool = False) -> None:
        """Compile the sampler."""
        self.sampler, self.true_only = BulkSampler(WORLD, negatives), true_only

    def pairs(self, position: Position | None, generator: torch.Generator) -> tuple[list[Pair], Position | None]:  # noqa: ARG002
        """Draw a chunk of 4,096 pairs, or so many and leave half of them out."""
        drawn = starmap(Pair, zip(*self.sampler.sample(4_096, generator), strict=True))
        return [pair for pair in drawn if not self.true_only or pair.next_sentence_label == IS_NEXT], None


class Stream:
    """Batches of 64 pairs with blanks, with or without the label of the pair."""

    def __init__(self, arm: str, seed: int) -> None:
        """Begin at the first batch."""
        negatives, true_only, self.labelled = ARMS[arm]
        source, masking = WorldPairs(negatives, true_only=true_only), Masking(TOKENIZER.pieces)
        self.stream = PretrainingStream(
            source, TOKENIZER, masking, batch_size=64, row_length=64, packed=False, seed=seed
        )
        self.state_dict, self.load_state_dict = self.stream.state_dict, self.stream.load_state_dict

    def __next__(self) -> Batch:
        """Give the next batch."""
        batch = next(self.stream)
        return batch if self.labelled else without(batch, "next_sentence_label")


def without(batch: Batch, left_out: str) -> Batch:
    """Leave one tensor out."""
    return {name: tensor for name, tensor in batch.items() if name != left_out}


def pretrained(arm: str, steps: int, seed: int) -> BertForPreTraining:
    """Train a nano BERT from nothing."""
    model = build_model(replace(WORLD_SETTINGS, seed=seed), len(TOKENIZER), TOKENIZER.pad_id)
    train(model, Stream(arm, seed), Recipe(steps=steps, learning_rate=3e-3), device="cpu", progress=False)
    return model


# ------------------------------------------------------------------------------------- what the models know of pairs


def asked_pairs() -> dict[Negatives, Batch]:
    """Draw the pairs that all models are asked about, of each kind."""
    batches = {}
    for negatives in NEGATIVES:
        drawn = zip(*BulkSampler(WORLD, negatives).sample(TESTED, split_generator("test")), strict=True)
        batches[negatives] = lay_out([[pair] for pair in starmap(Pair, drawn)], TOKENIZER)
    return batches


@torch.no_grad()
def pair_accuracy(model: BertForPreTraining, batch: Batch) -> float:
    """Count how often the likelier label is the true one."""
    nothing_hidden = {"labels": torch.full_like(batch["input_ids"], -100)}
    guess = model(**batch | nothing_hidden).seq_relationship_logits.argmax(1)
    return float((guess == batch["next_sentence_label"]).double().mean())


def true_pairs() -> tuple[list[Batch], Floor]:
    """Make held-out true pairs with blanks, and the floor of somebody who knows that they are true."""
    everything = Floor.pairs(WORLD)
    joint = everything.labels["next"]["0"]
    known = Floor(everything.vocabulary, everything.machines, joint / joint.sum(), {}, everything.corruption)
    return list(islice(iter(Stream("MLM, true pairs", 1_000_003).__next__, None), 24)), known


@torch.no_grad()
def distance(model: BertForPreTraining, batches: list[Batch], floor: Floor) -> float:
    """Average the divergence from the best possible over the blanks of true pairs."""
    found = [floor.words(batch).kl(model(**batch).prediction_logits) for batch in batches]
    return float(torch.cat(found).mean())


# ------------------------------------------------------------------------------------------------------- fine-tuning


def classified(documents: list[WorldDocument], task: str) -> Batch:
    """Lay documents out as `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`, with a class 0 or 1 for each."""
    _, label, positive, _, _ = TASKS[task]
    encoded = [TOKENIZER.encode(document.text, document.pair) for document in documents]
    width = max(len(each.ids) for each in encoded)

    def pad(rows: list[list[int]]) -> Tensor:
        return torch.tensor([row + [0] * (width - len(row)) for row in rows])

    return {
        "input_ids": pad([each.ids for each in encoded]),
        "token_type_ids": pad([each.type_ids for each in encoded]),
        "attention_mask": pad([[1] * len(each.ids) for each in encoded]),
        "labels": torch.tensor([int(document.values[label] == positive) for document in documents]),
    }


class Reshuffled:
    """Batches of 32 from a few labelled examples, without end."""

    def __init__(self, examples: Batch, seed: int) -> None:
        """Draw from `examples`."""
        self.examples, self.generator = examples, torch.Generator().manual_seed(seed)
        self.walk = self._walk()

    def _walk(self) -> Iterator[Batch]:
        while True:
            order = torch.randperm(len(self.examples["labels"]), generator=self.generator)
            for rows in order.split(32):
                yield {name: tensor[rows] for name, tensor in self.examples.items()}

    def __next__(self) -> Batch:
        """Give the next batch."""
        return next(self.walk)

    def state_dict(self) -> dict[str, object]:
        """Say nothing: these runs are not resumed."""
        return {}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Do nothing."""


def finetuned_accuracy(encoder: BertModel | None, task: str, seed: int) -> float:
    """Fine-tune an encoder (None: from nothing) on a task, and ask it about 2,000 new documents."""
    kind, _, _, count, steps = TASKS[task]
    documents = WORLD.sample(count, kind=kind, generator=split_generator("train", seed))
    model = BertForSequenceClassification(
        build_model(replace(WORLD_SETTINGS, seed=seed), len(TOKENIZER), 0).bert.config
    )
    if encoder is not None:
        model.bert.load_state_dict(encoder.state_dict())
    recipe = Recipe(steps=steps, learning_rate=1e-3)
    train(model, Reshuffled(classified(documents, task), seed), recipe, device="cpu", progress=False)
    asked = asked_documents(task)
    with torch.no_grad():
        guess = model(**without(asked, "labels")).logits.argmax(1)
    return float((guess == asked["labels"]).double().mean())


def asked_documents(task: str) -> Batch:
    """Draw the documents that all models are asked about."""
    return classified(WORLD.sample(2_000, kind=TASKS[task][0], generator=split_generator("test")), task)


def best_and_commoner(task: str) -> tuple[float, float]:
    """Compute what the best possible classifier would get on the same documents, and who always says the same."""
    kind, label, positive, _, _ = TASKS[task]
    batch = asked_documents(task)
    floor = Floor.task(WORLD, kind).label(without(batch, "labels"), label)
    share = floor.probabilities[:, floor.values.index(positive)]
    commoner = float(batch["labels"].double().mean())
    return float(torch.maximum(share, 1 - share).mean()), max(commoner, 1 - commoner)


# --------------------------------------------------------------------------------------------------------- all of it


def run(arm: str, seed: int, steps: int) -> Figures:
    """Pretrain once, and measure everything."""
    begin = time.process_time()
    if arm == NOTHING:
        figures = {task: finetuned_accuracy(None, task, seed) for task in TASKS}
    else:
        model = pretrained(arm, steps, seed)
        figures = {task: finetuned_accuracy(model.bert, task, seed) for task in TASKS}
        figures["distance"] = distance(model, *true_pairs())
        if ARMS[arm][2]:
            figures |= {f"asked: {kind}": pair_accuracy(model, batch) for kind, batch in asked_pairs().items()}
    return figures | {"minutes": (time.process_time() - begin) / 60}


def run_once(arm: str, seed: int, steps: int, keep: Path | None) -> Figures:
    """Run, or read what a run that is finished has measured."""
    path = None if keep is None else keep / f"{arm} {seed} {steps}.json"
    if path is not None and path.exists():
        found: Figures = json.loads(path.read_text(encoding="utf-8"))
        return found
    found = run(arm, seed, steps)
    print(arm, seed, found, flush=True)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found), encoding="utf-8")
    return found


def cells(found: list[Figures], columns: list[str]) -> list[str]:
    """Show the median and, in the order of the seeds, all values; nothing where nothing was measured."""
    values = [[figures[column] for figures in found if column in figures] for column in columns]
    return [
        f"{statistics.median(each):.3f} ({', '.join(f'{value:.3f}' for value in each)})" if each else ""
        for each in values
    ]


def main() -> None:
    """Print both tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000, help="of pretraining, 64 pairs each")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep finished runs here, and do not repeat them")
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = {arm: [run_once(arm, seed, asked.steps, asked.keep) for seed in SEEDS] for arm in [*ARMS, NOTHING]}
    minutes = sum(figures["minutes"] for each in found.values() for figures in each)

    columns = [f"asked: {negatives}" for negatives in NEGATIVES]
    pairs = [[arm, *cells(each, columns)] for arm, each in found.items() if columns[0] in each[0]]
    floors = [
        Floor.pairs(WORLD, negatives=negatives, corruption=CLEAN).label(batch, "next")
        for negatives, batch in asked_pairs().items()
    ]
    pairs.append(["the best possible", *(f"{float(floor.accuracy.mean()):.3f}" for floor in floors)])

    tasks = [[arm, *cells(each, [*TASKS, "distance"])] for arm, each in found.items()]
    best, commoner = zip(*map(best_and_commoner, TASKS), strict=True)
    tasks.append(["always the commoner", *(f"{value:.3f}" for value in commoner), ""])
    tasks.append(["the best possible", *(f"{value:.3f}" for value in best), "0.000"])
    labels = ", ".join(f"{task.partition(',')[0]} {count:,}" for task, (*_, count, _) in list(TASKS.items())[:2])
    parts = [
        "# Next-sentence prediction",
        f"{circumstances(torch.device('cpu'))}; {minutes:.0f} minutes of processor time",
        f"{asked.steps:,} steps of pretraining with 64 pairs each. Median of three seeds (all three).",
        f"## pairs\n\nAccuracy on {TESTED:,} pairs without blanks.",
        table(["pretraining", *columns], pairs),
        f"## tasks\n\nAccuracy on 2,000 documents after fine-tuning on labelled examples ({labels}; steps stand "
        "behind the task). Last column: KL divergence, in nats, from the best possible at the blanks of true pairs.",
        table(["pretraining", *TASKS, "distance"], tasks),
    ]
    print("\n\n".join(parts))
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
