"""What next-sentence prediction learns, and whether a model that has learned it does better elsewhere.

`transfer`: nano BERTs learn from the label of the pair alone, on text without blanks, with three kinds of negatives: a
random sentence, a random sentence from the same place of its document, the same two sentences swapped. Each model is
then asked all three questions. `downstream`: nano BERTs are pretrained in four ways with equal steps (masked words and
next sentence; masked words alone, on the same pairs; masked words alone, on true pairs; masked words and sentence
order) and then fine-tuned. All with three seeds, next to the exact best. A part that is stored replaces its section.

    python benchmarks/next_sentence.py transfer downstream --write next_sentence.md
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, starmap

import torch
from common import RESULTS, circumstances, store, table
from torch import Tensor, nn

from bertmini.commands.pretrain import build_model
from bertmini.commands.settings import WORLD_SETTINGS
from bertmini.data.corpora import Position
from bertmini.data.masking import IGNORED, Masking
from bertmini.data.pairs import IS_NEXT, Pair
from bertmini.data.pretraining import Batch, PretrainingStream, lay_out
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import Corruption, Document, Floor, World, split_generator
from bertmini.microworld.bulk import BulkSampler
from bertmini.microworld.discourse import Negatives
from bertmini.model.heads import BertForPreTraining, BertForSequenceClassification
from bertmini.training import Recipe, train

SEEDS = range(3)
NEGATIVES: tuple[Negatives, ...] = ("random", "position", "swapped")
TESTED = 4_000
CLEAN = Corruption(rate=0.0)
WORLD = World.default()
TOKENIZER = WordPieceTokenizer.from_vocab(WORLD.vocabulary())


class WorldPairs:
    """A source of pairs of the world under one negative sampler; `true_only` leaves the negatives out."""

    def __init__(self, negatives: Negatives, *, true_only: bool = False) -> None:
        """Compile the sampler."""
        self.sampler, self.true_only = BulkSampler(WORLD, negatives), true_only

    def pairs(self, position: Position | None, generator: torch.Generator) -> tuple[list[Pair], Position | None]:  # noqa: ARG002
        """Draw a chunk of 4,096 pairs, or so many and leave half of them out."""
        drawn = list(starmap(Pair, zip(*self.sampler.sample(4_096, generator), strict=True)))
        return [pair for pair in drawn if not self.true_only or pair.next_sentence_label == IS_NEXT], None


class Relabelled:
    """A stream whose batches go through a function on the way."""

    def __init__(self, stream: PretrainingStream, change: Callable[[Batch], Batch]) -> None:
        """Change each batch of `stream`."""
        self.stream, self.change = stream, change
        self.state_dict, self.load_state_dict = stream.state_dict, stream.load_state_dict

    def __next__(self) -> Batch:
        """Give the next batch, changed."""
        return self.change(next(self.stream))


def without_masks(batch: Batch) -> Batch:
    """Undo the masking: the label of the pair is all that is left to learn."""
    hidden = batch["labels"] != IGNORED
    ids = torch.where(hidden, batch["labels"], batch["input_ids"])
    return batch | {"input_ids": ids, "labels": torch.full_like(ids, IGNORED)}


def without_pair_label(batch: Batch) -> Batch:
    """Leave the masked words as all that there is to learn."""
    return {name: tensor for name, tensor in batch.items() if name != "next_sentence_label"}


def make_stream(source: WorldPairs, change: Callable[[Batch], Batch], seed: int) -> Relabelled:
    """Make batches of 64 pairs."""
    masking = Masking(TOKENIZER.pieces)
    stream = PretrainingStream(source, TOKENIZER, masking, batch_size=64, row_length=64, packed=False, seed=seed)
    return Relabelled(stream, change)


def pretrained(stream: Relabelled, steps: int, learning_rate: float, seed: int) -> BertForPreTraining:
    """Train a nano BERT from nothing."""
    model = build_model(replace(WORLD_SETTINGS, seed=seed), len(TOKENIZER), TOKENIZER.pad_id)
    train(model, stream, Recipe(steps=steps, learning_rate=learning_rate), device="cpu", progress=False)
    return model


def spread(values: list[float]) -> str:
    """Show the median and, in the order of the seeds, all values."""
    return f"{statistics.median(values):.3f} ({', '.join(f'{value:.3f}' for value in values)})"


# ------------------------------------------------------------------------------------------------------ transfer


def transfer(steps: int) -> str:
    """Train on each question, ask all three."""
    tests, best = {}, {}
    for negatives in NEGATIVES:
        drawn = zip(*BulkSampler(WORLD, negatives).sample(TESTED, split_generator("test")), strict=True)
        tests[negatives] = lay_out([[pair] for pair in starmap(Pair, drawn)], TOKENIZER)
        floor = Floor.pairs(WORLD, negatives=negatives, corruption=CLEAN).label(tests[negatives], "next")
        best[negatives] = float(floor.accuracy.mean())
    rows = []
    for learned in NEGATIVES:
        source = WorldPairs(learned)
        found: dict[Negatives, list[float]] = {negatives: [] for negatives in NEGATIVES}
        for seed in SEEDS:
            model = pretrained(make_stream(source, without_masks, seed), steps, 4e-3, seed)
            for asked, batch in tests.items():
                found[asked].append(accuracy(model, batch))
        rows.append([learned, *(spread(found[asked]) for asked in NEGATIVES)])
        print(rows[-1], flush=True)
    rows.append(["the best possible", *(f"{best[asked]:.3f}" for asked in NEGATIVES)])
    text = f"Accuracy on {TESTED:,} pairs after {steps:,} steps of 64 pairs: median of three seeds (all three)."
    return f"{text}\n\n{table(['trained on', *(f'asked: {name}' for name in NEGATIVES)], rows)}"


@torch.inference_mode()
def accuracy(model: BertForPreTraining, batch: Batch) -> float:
    """Count how often the likelier label is the true one."""
    guess = model(**without_masks(batch | {"labels": torch.full_like(batch["input_ids"], IGNORED)}))
    right = guess.seq_relationship_logits.argmax(1) == batch["next_sentence_label"]
    return float(right.double().mean())


# ---------------------------------------------------------------------------------------------------- downstream

ARMS: dict[str, tuple[Negatives, bool, Callable[[Batch], Batch]]] = {
    "MLM + NSP": ("random", False, dict),
    "MLM, same pairs": ("random", False, without_pair_label),
    "MLM, true pairs": ("random", True, without_pair_label),
    "MLM + SOP": ("swapped", False, dict),
}
# Task: its label, which values count as class 1, labelled examples, steps.
TASKS: dict[str, tuple[str, set[str], int, int]] = {
    "polarity": ("mood", {"good"}, 64, 100),
    "match": ("shared", {"3"}, 1_024, 300),
    "answer": ("answerable", {"yes"}, 1_024, 300),
}


def labelled(documents: list[Document], label: str, positive: set[str]) -> Batch:
    """Lay documents out as `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`, with a class 0 or 1 for each."""
    encoded = [TOKENIZER.encode(document.text, document.pair) for document in documents]
    width = max(len(each.ids) for each in encoded)

    def pad(rows: list[list[int]]) -> Tensor:
        return torch.tensor([row + [0] * (width - len(row)) for row in rows])

    return {
        "input_ids": pad([each.ids for each in encoded]),
        "token_type_ids": pad([each.type_ids for each in encoded]),
        "attention_mask": pad([[1] * len(each.ids) for each in encoded]),
        "labels": torch.tensor([int(document.values[label] in positive) for document in documents]),
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


def finetuned_accuracy(encoder: nn.Module | None, task: str, seed: int) -> float:
    """Fine-tune an encoder (None: from nothing) on a task, and ask it about 2,000 new documents."""
    label, positive, count, steps = TASKS[task]
    documents = WORLD.sample(count, kind=task, generator=split_generator("train", seed))
    model = BertForSequenceClassification(
        build_model(replace(WORLD_SETTINGS, seed=seed), len(TOKENIZER), 0).bert.config
    )
    if encoder is not None:
        model.bert.load_state_dict(encoder.state_dict())
    recipe = Recipe(steps=steps, learning_rate=2e-3)
    train(model, Reshuffled(labelled(documents, label, positive), seed), recipe, device="cpu", progress=False)
    asked = labelled(WORLD.sample(2_000, kind=task, generator=split_generator("test")), label, positive)
    with torch.inference_mode():
        right = model(**without(asked, "labels")).logits.argmax(1) == asked["labels"]
    return float(right.double().mean())


def without(batch: Batch, left_out: str) -> Batch:
    """Leave one tensor out."""
    return {name: tensor for name, tensor in batch.items() if name != left_out}


def best_accuracy(task: str) -> tuple[float, float]:
    """Compute what the best possible classifier would get on the same documents, and who always says the same."""
    label, positive, _, _ = TASKS[task]
    batch = labelled(WORLD.sample(2_000, kind=task, generator=split_generator("test")), label, positive)
    floor = Floor.task(WORLD, task).label(without(batch, "labels"), label)
    share = floor.probabilities[:, [value in positive for value in floor.values]].sum(1)
    commoner = batch["labels"].double().mean()
    return float(torch.maximum(share, 1 - share).mean()), float(torch.maximum(commoner, 1 - commoner))


def true_pairs() -> tuple[list[Batch], Floor]:
    """Make held-out true pairs with blanks, and the floor of somebody who knows that they are true."""
    stream = make_stream(WorldPairs("random", true_only=True), dict, 1_000_003)
    everything = Floor.pairs(WORLD)
    joint = everything.labels["next"]["0"]
    known = Floor(everything.vocabulary, everything.machines, joint / joint.sum(), {}, everything.corruption)
    return list(islice(iter(stream.__next__, None), 24)), known


@torch.no_grad()
def distance(model: BertForPreTraining, batches: list[Batch], floor: Floor) -> float:
    """Average the divergence from the best possible over the blanks of true pairs."""
    found = [floor.words(batch).kl(model(**batch).prediction_logits) for batch in batches]
    return float(torch.cat(found).mean())


def downstream(steps: int) -> str:
    """Pretrain in four ways, fine-tune on three tasks."""
    batches, floor = true_pairs()
    found: dict[str, dict[str, list[float]]] = {}
    for arm, (negatives, true_only, change) in ARMS.items():
        source = WorldPairs(negatives, true_only=true_only)
        found[arm] = {name: [] for name in [*TASKS, "distance"]}
        for seed in SEEDS:
            model = pretrained(make_stream(source, change, seed), steps, 3e-3, seed)
            found[arm]["distance"].append(distance(model, batches, floor))
            for task in TASKS:
                found[arm][task].append(finetuned_accuracy(model.bert, task, seed))
        print(arm, found[arm], flush=True)
    found["not pretrained"] = {task: [finetuned_accuracy(None, task, seed) for seed in SEEDS] for task in TASKS}
    rows = [
        [arm, *(spread(each[task]) for task in TASKS), spread(each["distance"]) if "distance" in each else ""]
        for arm, each in found.items()
    ]
    best, commoner = zip(*(best_accuracy(task) for task in TASKS), strict=True)
    rows.append(["always the commoner", *(f"{value:.3f}" for value in commoner), ""])
    rows.append(["the best possible", *(f"{value:.3f}" for value in best), "0.000"])
    labels = ", ".join(f"{task} {count:,}" for task, (_, _, count, _) in TASKS.items())
    text = (
        f"Accuracy on 2,000 documents after {steps:,} steps of pretraining and fine-tuning on labelled examples "
        f"({labels}); the last column is the KL divergence, in nats, from the best possible at blanks of true pairs. "
        "Median of three seeds (all three)."
    )
    return f"{text}\n\n{table(['pretraining', *TASKS, 'distance'], rows)}"


def merge(name: str, sections: dict[str, str]) -> str:
    """Put new sections into the stored file, in the place of old ones of the same name."""
    path = RESULTS / name
    old = path.read_text(encoding="utf-8").split("\n## ")[1:] if path.exists() else []
    kept = {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in old} | sections
    return "\n\n".join(["# Next-sentence prediction", *(f"## {title}\n\n{body}" for title, body in kept.items())])


def main() -> None:
    """Print the parts that are asked for, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=["transfer", "downstream"])
    parser.add_argument("--transfer-steps", type=int, default=1_000)
    parser.add_argument("--pretraining-steps", type=int, default=1_500)
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for part in asked.parts:
        begin = time.perf_counter()
        body = transfer(asked.transfer_steps) if part == "transfer" else downstream(asked.pretraining_steps)
        minutes = (time.perf_counter() - begin) / 60
        section = f"{circumstances(torch.device('cpu'))}; {minutes:.0f} minutes\n\n{body}"
        print(section, flush=True)
        if asked.write:
            store(asked.write, merge(asked.write, {part: section}))


if __name__ == "__main__":
    main()
