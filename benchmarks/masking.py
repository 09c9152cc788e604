"""What a model learns from each way of hiding words, in a corner of the microworld: three seeds of each.

Every model has the nano preset's shape and learns from lines of the same little language, in equally many
steps; only the corruption differs, or the number of texts and of masks for each. Two questions are
put to all of them, on held-out lines. *One blank*: a single piece of a clean line is hidden; how far is the model from
the exact posterior (KL, nats)? *Visible*: a clean line, nothing hidden; at how many pieces is the model's first choice
the piece that stands there?

    python benchmarks/masking.py --write masking.md
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from common import circumstances, store, table
from torch import Tensor

from bertmini import PRESETS, BertForMaskedLM, Masking, WordPieceTokenizer, World
from bertmini.microworld import Corruption, Floor, WordFloor, WorldDocument, kl_from_optimum, split_generator
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

# Chapter 05 has the same lines, and compares.
CORNER = """
feature topic  = 0.5 river | 0.3 garden | 0.2 office
feature number = one | many
feature work   = read | drank | fed | fixed

document line 1 = 0.5 Scene[topic] | 0.35 Deed[work] | 0.15 Home

Scene[topic]      = Group[topic number] Chain[topic] Be[number] State[topic] .
Chain[topic]      = 0.5 ~ | 0.5 Near Group[topic number]
Group[topic one]  = the Noun[topic]
Group[topic many] = the Noun[topic] ##s
Be[one]           = 0.6 was | 0.3 is | 0.1 seems
Be[many]          = 0.6 were | 0.3 are | 0.1 seem
Near              = zipf near | behind | under
Noun[river]       = zipf boat | bank | seal | heron | bridge
Noun[garden]      = zipf rose | mole | snail | gnome | hedge
Noun[office]      = zipf letter | mole | seal | bank | desk
State[river]      = 0.6 wet | 0.4 adrift
State[garden]     = 0.6 asleep | 0.4 muddy
State[office]     = 0.6 late | 0.4 missing

Deed[work]    = Hero $work the Size Object[work] When .
Hero          = zipf ada | bea | clara | bruno | hugo | otto
Size          = 0.5 old | 0.3 wrong | 0.2 last
Object[read]  = 0.5 map | 0.3 book | 0.2 poem
Object[drank] = 0.5 tea | 0.3 milk | 0.2 coffee
Object[fed]   = 0.5 goat | 0.3 cat | 0.2 parrot
Object[fixed] = 0.5 clock | 0.3 lamp | 0.2 kettle
When          = 0.5 at dawn | 0.3 at noon | 0.2 on sunday

Home = Hero lives in Town .
Town = hart ##ford | ash ##ton | nor ##by | wood ##ley
"""

Batch = dict[str, Tensor]
STEPS = 600
TEXTS = 20_000  # drawn once for each seed, then read in random order


@dataclass(frozen=True)
class Arm:
    """One way to hide words; `texts` and `masks`: of each text so many corrupted copies (None: new ones)."""

    mask: float = 0.8
    random: float = 0.1
    rate: float = 0.15
    texts: int = TEXTS
    masks: int | None = None


ARMS = {
    "80/10/10": Arm(),
    "100/0/0": Arm(mask=1.0, random=0.0),
    "80/0/20": Arm(random=0.0),
    "80/20/0": Arm(random=0.2),
    "rate 0.05": Arm(rate=0.05),
    "rate 0.40": Arm(rate=0.40),
    "rate 0.80": Arm(rate=0.80),
    "300 texts, new masks": Arm(texts=300),
    "300 texts, 10 masks each": Arm(texts=300, masks=10),
    "300 texts, 1 mask each": Arm(texts=300, masks=1),
}


def to_ids(documents: Sequence[WorldDocument], tokenizer: WordPieceTokenizer) -> Tensor:
    """Lay lines out as [CLS] ... [SEP], padded: (B, S)."""
    rows = [[tokenizer.vocab[piece] for piece in document.pieces[0]] for document in documents]
    width = max(map(len, rows)) + 2
    edge = [tokenizer.cls_id], [tokenizer.sep_id]
    return torch.tensor([edge[0] + row + edge[1] + [tokenizer.pad_id] * (width - 2 - len(row)) for row in rows])


class Lines:
    """An endless stream of masked lines."""

    def __init__(self, ids: Tensor, masking: Masking, *, masks: int | None, seed: int, batch_size: int = 64) -> None:
        """Read `ids` (N, S) in random order; with `masks`, each line comes in so many corrupted copies, no others."""
        self.ids, self.masking, self.batch_size = ids, masking, batch_size
        self.generator = torch.Generator().manual_seed(seed)
        self.frozen = masking(ids.repeat(masks, 1), generator=self.generator) if masks else None

    def __next__(self) -> Batch:
        """Draw the next batch."""
        copies = self.ids if self.frozen is None else self.frozen.labels
        rows = torch.randint(len(copies), (self.batch_size,), generator=self.generator)
        if self.frozen is None:
            ids, labels = self.masking(self.ids[rows], generator=self.generator)
        else:
            ids, labels = self.frozen.input_ids[rows], self.frozen.labels[rows]
        return {"input_ids": ids, "attention_mask": (ids != 0).long(), "labels": labels}

    def state_dict(self) -> dict[str, object]:
        """Say nothing: these runs are never resumed."""
        return {}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Take nothing back."""


class Questions(NamedTuple):
    """Held-out lines with one blank each, their exact posterior, and the same lines with nothing hidden."""

    blanked: Batch
    best: WordFloor
    clean: Tensor


def make_questions(world: World, tokenizer: WordPieceTokenizer, count: int = 3_000) -> Questions:
    """Draw lines that no run trains on."""
    generator = split_generator("test")
    clean = to_ids(world.sample(count, generator=generator, kind="line"), tokenizer)
    order = torch.rand(clean.shape, generator=generator).masked_fill(clean < 5, 2.0)
    chosen = torch.zeros_like(clean, dtype=torch.bool).scatter_(1, order.argmin(1, keepdim=True), value=True)
    ids, labels = clean.masked_fill(chosen, tokenizer.mask_id), clean.masked_fill(~chosen, -100)
    blanked = {"input_ids": ids, "attention_mask": (ids != 0).long(), "labels": labels}
    return Questions(blanked, Floor.task(world, "line", corruption=Corruption(rate=0.0)).words(blanked), clean)


def ask(model: BertForMaskedLM, questions: Questions) -> tuple[float, float]:
    """Answer both: KL at one blank, and the share of visible pieces that are the first choice."""
    with torch.inference_mode():
        blank = kl_from_optimum(model(**questions.blanked).logits, questions.best).mean
        clean = questions.clean
        logits = model(clean, attention_mask=(clean != 0).long()).logits
    return blank, float((logits.argmax(-1) == clean)[clean >= 5].double().mean())


def run(arm: Arm, world: World, tokenizer: WordPieceTokenizer, questions: Questions, *, seed: int) -> list[float]:
    """Train one model: KL at one blank, share of visible pieces reproduced, seconds."""
    lines = world.sample(arm.texts, generator=split_generator("train", seed), kind="line")
    masking = Masking(tokenizer.pieces, rate=arm.rate, mask_share=arm.mask, random_share=arm.random)
    stream = Lines(to_ids(lines, tokenizer), masking, masks=arm.masks, seed=seed)
    torch.manual_seed(seed)
    config = replace(
        PRESETS["nano"], vocab_size=len(tokenizer), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    model = BertForMaskedLM(config)
    begin = time.perf_counter()
    train(model, stream, Recipe(steps=STEPS, learning_rate=3e-3), device="cpu", progress=False)
    seconds = time.perf_counter() - begin
    return [*ask(model, questions), seconds]


def lay_out(results: dict[str, list[list[float]]]) -> str:
    """Make the table, every seed's figures in it."""
    rows = [
        [name, " ".join(f"{blank:.4f}" for blank, _, _ in runs), " ".join(f"{seen:.3f}" for _, seen, _ in runs)]
        for name, runs in results.items()
    ]
    return table(["how words are hidden", "KL at one blank, nats, by seed", "visible pieces reproduced, by seed"], rows)


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    world = World(CORNER)
    tokenizer = WordPieceTokenizer.from_vocab(world.vocabulary())
    questions = make_questions(world, tokenizer)
    results: dict[str, list[list[float]]] = {}
    for name, arm in ARMS.items():
        results[name] = [run(arm, world, tokenizer, questions, seed=seed) for seed in range(asked.seeds)]
        print(name, results[name], flush=True)
    print("\n" + report(results))
    if asked.write:
        store(asked.write, report(results))


def report(results: dict[str, list[list[float]]]) -> str:
    """Put heading, circumstances and table together."""
    seconds = sum(seconds for runs in results.values() for _, _, seconds in runs)
    notes = (
        f"{STEPS} steps of 64 lines, learning rate 3e-3, nano preset, rate 0.15 and 80/10/10 where nothing else is "
        f"said; {seconds:.0f} s of training in all."
    )
    return "\n\n".join(["# Ways to hide words", circumstances(torch.device("cpu")), notes, lay_out(results)])


if __name__ == "__main__":
    main()
