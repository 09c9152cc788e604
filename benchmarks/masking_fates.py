"""What each fate of a selected word is for: Devlin et al.'s Table 8, all six rows, in a corner of the microworld.

Five seeds of each row at two sizes, equal steps. Held-out lines put five questions to every model. *Blank*: one piece
of a clean line is hidden; how far is the model from the exact posterior (KL, nats)? *Right*: nothing is hidden; at
which share of the pieces is the first choice the piece that stands there? *Wrong*: one piece is swapped for another; at
which share is the first choice there the original? *Frozen* and *tuned*: a few labelled words (is this bank, seal or
mole one of the office?) for a linear classifier on the model's vectors, left as they are or fine-tuned with it; what
share of held-out words does it label correctly?

    python benchmarks/masking_fates.py --write masking_fates.md
"""

import argparse
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from common import circumstances, store, table
from masking import CORNER, Lines, Questions, make_questions, to_ids
from torch import Tensor, nn

from bertmini import PRESETS, BertForMaskedLM, Masking, Recipe, WordPieceTokenizer, World, train
from bertmini.microworld import kl_from_optimum, split_generator

ROWS = ((80, 10, 10), (100, 0, 0), (80, 0, 20), (80, 20, 0), (0, 20, 80), (0, 0, 100))  # MASK, SAME, RND, in percent
SIZES: dict[str, dict[str, int]] = {
    "nano": {},
    "half": {"hidden_size": 32, "intermediate_size": 128, "num_attention_heads": 2},
}
STEPS, LEARNING_RATE = 400, 3e-3
TEXTS, LABELS, ASKED = 12_000, 64, 1_000
TUNING_STEPS, TUNING_RATE = 60, 1e-3
SEEDS = 5


class Senses(NamedTuple):
    """Lines (B, S), where ambiguous nouns stand in them, flattened (N,), and which are the office's (N,)."""

    ids: Tensor
    places: Tensor
    office: Tensor


class Answers(NamedTuple):
    """What one model says to the five questions."""

    blank: float
    right: float
    wrong: float
    frozen: float
    tuned: float


def make_senses(ids: Tensor, tokenizer: WordPieceTokenizer, count: int) -> Senses:
    """The first `count` ambiguous nouns in lines (B, S); the state at the end of a line gives the sense away."""
    nouns, late = (
        torch.tensor(tokenizer.convert_tokens_to_ids(words.split())) for words in ("bank seal mole", "late missing")
    )
    places = torch.isin(ids, nouns).flatten().nonzero()[:count, 0]
    rows = places // ids.shape[1]
    used, row = rows.unique(return_inverse=True)
    return Senses(ids[used], row * ids.shape[1] + places % ids.shape[1], torch.isin(ids[rows], late).any(1).long())


def swap_one(clean: Tensor, labels: Tensor, words: int) -> Tensor:
    """The lines with the scored piece of each replaced by another word, drawn uniformly."""
    step = torch.randint(1, words, clean.shape, generator=split_generator("test", seed=9))
    return torch.where(labels != -100, (clean - 5 + step) % words + 5, clean)


def restored(model: BertForMaskedLM, questions: Questions, words: int) -> float:
    """The share of swapped words whose original is the first choice."""
    labels = questions.blanked["labels"]
    batch = questions.blanked | {"input_ids": swap_one(questions.clean, labels, words)}
    return float((model(**batch).logits.argmax(-1) == labels[labels != -100]).double().mean())


def reproduced(model: BertForMaskedLM, clean: Tensor) -> float:
    """The share of visible pieces that are the first choice at their own place."""
    choice = model(clean, attention_mask=(clean != 0).long()).logits.argmax(-1)
    return float((choice == clean)[clean >= 5].double().mean())


def vectors(model: BertForMaskedLM, senses: Senses) -> Tensor:
    """The last layer's state at each noun: (N, E)."""
    states = model.bert(senses.ids, attention_mask=(senses.ids != 0).long()).last_hidden_state
    return states.flatten(0, 1)[senses.places]


def label_words(model: BertForMaskedLM, known: Senses, asked: Senses, *, tune: bool) -> float:
    """Train a linear classifier on `known`, with the encoder or on its vectors; the share right on `asked`."""
    head = nn.Linear(model.config.hidden_size, 2)
    nn.init.zeros_(head.weight)
    groups = [{"params": list(head.parameters()), "lr": 0.03}]
    groups += [{"params": list(model.parameters()), "lr": TUNING_RATE}] if tune else []
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    fixed = vectors(model, known).detach()
    for _ in range(TUNING_STEPS):
        optimizer.zero_grad()
        F.cross_entropy(head(vectors(model, known) if tune else fixed), known.office).backward()
        optimizer.step()
    with torch.no_grad():
        return float((head(vectors(model, asked)).argmax(-1) == asked.office).double().mean())


def run(row: tuple[int, int, int], size: str, world: World, tokenizer: WordPieceTokenizer, seed: int) -> Answers:
    """Train one model and ask it."""
    mask, _, random = (share / 100 for share in row)
    lines = to_ids(world.sample(TEXTS, generator=split_generator("train", seed), kind="line"), tokenizer)
    questions = make_questions(world, tokenizer, 1_500)
    stream = Lines(lines, Masking(tokenizer.pieces, mask_share=mask, random_share=random), masks=None, seed=seed)
    torch.manual_seed(seed)
    config = replace(PRESETS["nano"], vocab_size=len(tokenizer), hidden_dropout_prob=0.0)
    model = BertForMaskedLM(replace(config, attention_probs_dropout_prob=0.0, **SIZES[size]))
    train(model, stream, Recipe(steps=STEPS, learning_rate=LEARNING_RATE), device="cpu", progress=False)
    others = to_ids(world.sample(8_000, generator=split_generator("test", 1), kind="line"), tokenizer)
    known, asked = make_senses(lines, tokenizer, LABELS), make_senses(others, tokenizer, ASKED)
    with torch.no_grad():
        blank = kl_from_optimum(model(**questions.blanked).logits, questions.best).mean
        right, wrong = reproduced(model, questions.clean), restored(model, questions, len(tokenizer) - 5)
    frozen = label_words(model, known, asked, tune=False)
    return Answers(blank, right, wrong, frozen, label_words(model, known, asked, tune=True))


def lay_out(results: dict[tuple[str, str], list[Answers]]) -> str:
    """Make the table: one line for each size, row and question, every seed's figure in it."""
    rows = [
        [size, row, question, " ".join(f"{getattr(answers, question):.3f}" for answers in runs)]
        for (size, row), runs in results.items()
        for question in Answers._fields
    ]
    return table(["size", "MASK/SAME/RND", "question", "by seed"], rows)


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    world = World(CORNER)
    tokenizer = WordPieceTokenizer.from_vocab(world.vocabulary())
    results: dict[tuple[str, str], list[Answers]] = {}
    for seed in range(SEEDS):
        for size in SIZES:
            for row in ROWS:
                answers = run(row, size, world, tokenizer, seed)
                results.setdefault((size, "/".join(map(str, row))), []).append(answers)
                print(seed, size, row, answers, flush=True)
    notes = (
        f"{STEPS} steps of 64 lines, learning rate {LEARNING_RATE}, rate 0.15, seeds 0 to {SEEDS - 1}; nano preset, "
        f"and half of its width. Blank: nats. The others: shares; frozen and tuned from {LABELS} labelled words."
    )
    report = "\n\n".join(["# What each fate is for", circumstances(torch.device("cpu")), notes, lay_out(results)])
    print("\n" + report)
    if asked.write:
        store(asked.write, report)


if __name__ == "__main__":
    main()
