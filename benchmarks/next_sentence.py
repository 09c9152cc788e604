"""What a pair label teaches, and whether a model that has learned it does better elsewhere.

*Pairs*: BERTs of two sizes learn the label of the pair alone, with random sentences for negatives (BERT's next-sentence
prediction) or with the same two sentences swapped (sentence-order prediction). They are asked about these and about a
third kind, random sentences from the same place of their document: which share of the true pairs is called next (hits),
which share of the false ones (false alarms), and in which share of couples the true pair is held for the likelier one
(AUC). False pairs that the training can have shown and those that it cannot are also ranked by themselves. *Far*: an
opening and a line that begins with "finally", which are never neighbours, in the order of the story against the other.

*Tasks*: nano BERTs are pretrained in three ways for equally many steps: masked words (MLM) alone, on pairs of which
half are random, or on true pairs only; and masked words together with the label, as BERT is. All are then fine-tuned,
beside one that was not pretrained. With `--keep FOLDER`, runs that are finished are kept there, so that a program that
was stopped can go on.

    python benchmarks/next_sentence.py --write next_sentence.md
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from common import circumstances, store, table
from torch import Tensor

from bertmini.data.batches import Batch
from bertmini.data.corpora.sources import Position
from bertmini.data.masking import Masking
from bertmini.data.pairs import IS_NEXT, NOT_NEXT, Pair
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
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

SEEDS = range(5)
NEGATIVES: tuple[Negatives, ...] = ("random", "position", "swapped")
TESTED = 4_000
CLEAN = Corruption(rate=0.0)
WORLD = World.default()
TOKENIZER = WordPieceTokenizer.from_vocab(WORLD.vocabulary())
SIZES: dict[str, dict[str, int]] = {
    "nano": {},
    "half": {"hidden_size": 32, "intermediate_size": 128, "num_attention_heads": 2},
}

# Steps on the label alone. Position negatives are asked about and not learned from: no model has left the coin on them.
LABEL_STEPS: dict[Negatives, int] = {"random": 400, "swapped": 400}

# Pretraining: which negatives, whether they are left out, whether the label of the pair is learned.
ARMS: dict[str, tuple[Negatives, bool, bool]] = {
    "MLM + NSP": ("random", False, True),
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


class LabelStream:
    """Batches of 64 pairs, nothing hidden, of which the label alone is learned."""

    def __init__(self, negatives: Negatives, seed: int) -> None:
        """Begin at the first batch."""
        self.source, self.generator = WorldPairs(negatives), split_generator("train", seed)
        self.pairs: list[Pair] = []

    def __next__(self) -> Batch:
        """Give the next batch."""
        if len(self.pairs) < 64:
            self.pairs += self.source.pairs(None, self.generator)[0]
        return unmasked([self.pairs.pop() for _ in range(64)])

    def state_dict(self) -> dict[str, object]:
        """Say nothing: these runs are not resumed."""
        return {}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Do nothing."""


class Asked(NamedTuple):
    """Pairs of one kind: the batch, and for each pair whether training on a kind of negatives can have shown it."""

    batch: Batch
    met: dict[Negatives, Tensor]


def unmasked(pairs: list[Pair]) -> Batch:
    """Lay pairs out with nothing hidden and no word asked for."""
    batch = lay_out([[pair] for pair in pairs], TOKENIZER)
    return batch | {"labels": torch.full_like(batch["input_ids"], -100)}


def to_ids(texts: list[str]) -> list[list[int]]:
    """Encode texts without special tokens."""
    return TOKENIZER.encode_ids(texts)


@cache
def asked_pairs() -> dict[Negatives, Asked]:
    """Draw the pairs that all models are asked about, of each kind, and look up which are met in which training."""
    asked = {}
    known = {negatives: WORLD.pair_distribution(negatives).joint.sum(0) > 0 for negatives in NEGATIVES}
    for negatives in NEGATIVES:
        sampler = BulkSampler(WORLD, negatives)
        generator = split_generator("test")
        size = sampler.joint.shape[1]
        chosen = torch.multinomial(sampler.joint.flatten(), TESTED, replacement=True, generator=generator)
        random = np.random.default_rng(0)
        first, second = chosen // size % size, chosen % size
        ids = (sampler.walk(symbols.numpy(), random) for symbols in (first, second))
        pairs = [Pair(*pair) for pair in zip(*ids, (chosen // size**2).tolist(), strict=True)]
        met = {trained: table_[first, second] for trained, table_ in known.items()}
        asked[negatives] = Asked(unmasked(pairs), met)
    return asked


@cache
def far_pairs() -> tuple[Batch, Batch]:
    """An opening and a line with "finally" of one story, as they stand and the other way round."""
    stories = WORLD.sample(3_000, kind="story", generator=split_generator("test"))
    openings = [number for number, story in enumerate(stories) for place in story.places if "Opening" in place]
    couples = []
    for number in openings:
        story = stories[number]
        (opening,) = (text for text, place in zip(story.sentences, story.places, strict=True) if "Opening" in place)
        couples += [(opening, text) for text in story.sentences if text.startswith("finally")]
    first, second = (to_ids([couple[side] for couple in couples]) for side in (0, 1))
    forward = [Pair(a, b, IS_NEXT) for a, b in zip(first, second, strict=True)]
    return unmasked(forward), unmasked([Pair(b, a, NOT_NEXT) for a, b, _ in forward])


@torch.no_grad()
def p_next(model: BertForPreTraining, batch: Batch) -> Tensor:
    """Compute P(next) for each pair: (B,)."""
    return model(**batch).seq_relationship_logits.double().softmax(-1)[:, IS_NEXT]


def auc(true: Tensor, false: Tensor) -> float:
    """Count the couples in which the true pair is held for the likelier one; a tie counts half."""
    difference = true[:, None] - false
    return float((difference > 0).double().mean() + (difference == 0).double().mean() / 2)


def learn_labels(negatives: Negatives, size: str, seed: int) -> BertForPreTraining:
    """Train a BERT on the label alone, from nothing."""
    config = build_model(WORLD_SETTINGS, len(TOKENIZER), TOKENIZER.pad_id).bert.config
    torch.manual_seed(seed)
    model = BertForPreTraining(replace(config, **SIZES[size]))
    recipe = Recipe(steps=LABEL_STEPS[negatives], learning_rate=2e-3, warmup=0.05)
    train(model, LabelStream(negatives, seed), recipe, device="cpu", progress=False)
    return model


def ask_pairs(negatives: Negatives, size: str, seed: int) -> Figures:
    """Train on one kind of negatives, and ask about all."""
    begin = time.process_time()
    model = learn_labels(negatives, size, seed)
    figures = {}
    for kind, (batch, met) in asked_pairs().items():
        said, true = p_next(model, batch), batch["next_sentence_label"] == IS_NEXT
        figures[f"{kind}: hits"] = float((said[true] > 0.5).double().mean())
        figures[f"{kind}: false alarms"] = float((said[~true] > 0.5).double().mean())
        figures[f"{kind}: AUC"] = auc(said[true], said[~true])
        for name, part in {"met": met[negatives], "never met": ~met[negatives]}.items():
            if (part & ~true).sum() > TESTED / 100:
                figures[f"{kind}: AUC, {name}"] = auc(said[true], said[part & ~true])
    forward, backward = (p_next(model, batch) for batch in far_pairs())
    figures["far: AUC"] = auc(forward, backward)
    return figures | {"minutes": (time.process_time() - begin) / 60}


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


@cache
def asked_documents(task: str) -> Batch:
    """Draw the documents that all models are asked about."""
    return classified(WORLD.sample(2_000, kind=TASKS[task][0], generator=split_generator("test")), task)


def best_and_majority(task: str) -> tuple[float, float]:
    """Compute what the best possible classifier would get on the same documents, and the majority class."""
    kind, label, positive, _, _ = TASKS[task]
    batch = asked_documents(task)
    floor = Floor.task(WORLD, kind).label(without(batch, "labels"), label)
    share = floor.probabilities[:, floor.values.index(positive)]
    positives = float(batch["labels"].double().mean())
    return float(torch.maximum(share, 1 - share).mean()), max(positives, 1 - positives)


# --------------------------------------------------------------------------------------------------------- all of it


def run(arm: str, seed: int, steps: int) -> Figures:
    """Pretrain once, and fine-tune on all tasks."""
    begin = time.process_time()
    encoder = None if arm == NOTHING else pretrained(arm, steps, seed).bert
    figures = {task: finetuned_accuracy(encoder, task, seed) for task in TASKS}
    return figures | {"minutes": (time.process_time() - begin) / 60}


def once(name: str, keep: Path | None, work: Callable[[], Figures]) -> Figures:
    """Run, or read what a run that is finished has measured."""
    path = None if keep is None else keep / f"{name}.json"
    if path is not None and path.exists():
        found: Figures = json.loads(path.read_text(encoding="utf-8"))
        return found
    found = work()
    print(name, found, flush=True)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found), encoding="utf-8")
    return found


def spread(found: list[Figures], column: str) -> str:
    """Write all values, in the order of the seeds; nothing where nothing was measured."""
    return " ".join(f"{figures[column]:.3f}" for figures in found if column in figures)


def pairs_table(found: dict[tuple[Negatives, str], list[Figures]]) -> str:
    """Lay out what the models say of pairs: a line for each question, what was learned in columns."""
    columns = list(dict.fromkeys(column for runs in found.values() for column in runs[0] if column != "minutes"))
    rows = [
        [size, learned, *column.split(": "), spread(runs, column)]
        for (learned, size), runs in found.items()
        for column in columns
        if column in runs[0]
    ]
    return table(["size", "trained on", "asked", "measure", "by seed"], rows)


def main() -> None:
    """Print both tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000, help="of pretraining, 64 pairs each")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep finished runs here, and do not repeat them")
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    labels: dict[tuple[Negatives, str], list[Figures]] = {}
    for learned in LABEL_STEPS:
        for size in SIZES:
            labels[learned, size] = [
                once(f"{learned} {size} {seed}", asked.keep, partial(ask_pairs, learned, size, seed)) for seed in SEEDS
            ]
    tasks = {
        arm: [once(f"{arm} {seed} {asked.steps}", asked.keep, partial(run, arm, seed, asked.steps)) for seed in SEEDS]
        for arm in [*ARMS, NOTHING]
    }
    minutes = sum(figures["minutes"] for runs in [*labels.values(), *tasks.values()] for figures in runs)

    best, majority = zip(*map(best_and_majority, TASKS), strict=True)
    rows = [[arm, *(spread(runs, task) for task in TASKS)] for arm, runs in tasks.items()]
    rows.append(["majority class", *(f"{value:.3f}" for value in majority)])
    rows.append(["the best possible", *(f"{value:.3f}" for value in best)])
    examples = ", ".join(f"{task.partition(',')[0]} {count:,}" for task, (*_, count, _) in list(TASKS.items())[:2])
    steps = ", ".join(f"{learned} {count:,}" for learned, count in LABEL_STEPS.items())
    parts = [
        "# Next-sentence prediction",
        f"{circumstances(torch.device('cpu'))}; {minutes:.0f} minutes of processor time. Seeds 0 to {len(SEEDS) - 1}.",
        f"## pairs\n\nThe label alone, nothing hidden, 64 pairs a step, learning rate 0.002; steps: {steps}. "
        f"Asked about {TESTED:,} pairs.",
        pairs_table(labels),
        f"## tasks\n\n{asked.steps:,} steps of pretraining with 64 pairs each, learning rate 0.003. Accuracy on 2,000 "
        f"documents after fine-tuning on labelled examples ({examples}; steps are named with the task).",
        table(["pretraining", *TASKS], rows),
    ]
    print("\n\n".join(parts))
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
