"""Where the two sides meet: a word that depends on left and right together, read by six small models.

Ada reads at dawn and draws at noon; Bruno does it the other way round. In *ada ... [MASK] ... at dawn*, neither the
name nor the time of day tells the verb, only both do (an exclusive or). Three ways to read, each with an LSTM and with
a Transformer (the package's encoder layers): from the left only; from the left and, apart from that, from the right,
with the two states laid side by side before one linear map, as ELMo does; and from both sides in every layer.
Parameters, steps and data are equal; of two learning rates each model gets the one with the lower loss on a seed of
its own.

    python benchmarks/both_sides.py --settings near far --write both_sides.md
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from common import circumstances, spread, store, table
from torch import Tensor, nn

from bertmini import PRESETS
from bertmini.model.attention import Rows
from bertmini.model.encoder import EncoderLayer

MASK, NAMES, TIMES, FILLERS = 0, (1, 2), (3, 4), range(5, 25)
VOCABULARY, LONGEST = 25, 64
SETTINGS = {"near": (1, 3), "far": (6, 10)}  # words between the blank and the name, and the time of day
BATCH, STEPS = 64, 600
TEST, PART = 20, 5  # groups of 200 lines: at the end, and to see during training whether it has learned
RATES = (3e-3, 1e-2)
PARAMETERS, SEEDS = 28_000, 5
KINDS = ("LSTM, left only", "Transformer, left only", "LSTMs, side by side", "Transformers, side by side",
         "LSTM, both in each layer", "Transformer, both in each layer")  # fmt: skip


class Blanks(NamedTuple):
    """Lines (B, S) without padding, where their blanks are (B,), and which of two words is right (B,)."""

    ids: Tensor
    places: Tensor
    words: Tensor


def draw(count: int, setting: str, generator: torch.Generator) -> Blanks:
    """Lines of one length: a name, some other words, the blank, some other words, the time of day."""
    low, high = SETTINGS[setting]
    left, right = torch.randint(low, high + 1, (2,), generator=generator).tolist()
    ids = torch.randint(FILLERS.start, FILLERS.stop, (count, left + right + 3), generator=generator)
    name, hour = torch.randint(2, (2, count), generator=generator)
    ids[:, 0], ids[:, left + 1], ids[:, -1] = NAMES[0] + name, MASK, TIMES[0] + hour
    return Blanks(ids, torch.full((count,), left + 1), name ^ hour)


class Lstm(nn.Module):
    """An embedding and an LSTM of one or two layers."""

    def __init__(self, width: int, *, layers: int, both: bool) -> None:
        """Make them with random weights."""
        super().__init__()
        self.word = nn.Embedding(VOCABULARY, width)
        self.body = nn.LSTM(width, width, num_layers=layers, bidirectional=both, batch_first=True)

    def forward(self, ids: Tensor) -> Tensor:
        """States (B, S, E) or (B, S, 2E)."""
        states: Tensor = self.body(self.word(ids))[0]
        return states


class Transformer(nn.Module):
    """Embeddings and two of BERT's encoder layers, which may be kept from looking to one side."""

    def __init__(self, width: int, *, looks: str) -> None:
        """Make them with random weights; `looks` is left, right or both."""
        super().__init__()
        sizes = {"vocab_size": VOCABULARY, "hidden_size": width, "intermediate_size": 4 * width}
        config = replace(PRESETS["nano"], num_attention_heads=2, hidden_dropout_prob=0.0, **sizes)
        config = replace(config, attention_probs_dropout_prob=0.0)
        self.word, self.place = nn.Embedding(VOCABULARY, width), nn.Embedding(LONGEST, width)
        self.norm, self.looks = nn.LayerNorm(width), looks
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(2))
        for embedding in (self.word, self.place):
            nn.init.normal_(embedding.weight, std=config.initializer_range)

    def forward(self, ids: Tensor) -> Tensor:
        """States (B, S, E)."""
        seen = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool)
        seen = {"left": seen.tril(), "right": seen.triu(), "both": seen}[self.looks]
        hidden = self.norm(self.word(ids) + self.place(torch.arange(ids.shape[1])))
        for layer in self.layers:
            hidden, _ = layer(hidden, Rows(seen[None, None]))
        return hidden


class Reader(nn.Module):
    """One or two bodies, and one linear map from what they say at the blank to two words."""

    def __init__(self, kind: str, width: int) -> None:
        """Make the bodies that the kind asks for."""
        super().__init__()
        lstm, sides = kind.startswith("LSTM"), kind.split(", ")[1]
        if lstm:
            bodies = [Lstm(width, layers=1 if sides == "side by side" else 2, both=sides != "left only")]
        else:
            looks = {"left only": ("left",), "side by side": ("left", "right")}.get(sides, ("both",))
            bodies = [Transformer(width, looks=look) for look in looks]
        self.bodies = nn.ModuleList(bodies)
        self.words = nn.Linear(width * (1 + (sides == "side by side" or (lstm and sides != "left only"))), 2)

    def forward(self, blanks: Blanks) -> Tensor:
        """Logits (B, 2)."""
        states = torch.cat([body(blanks.ids) for body in self.bodies], -1)
        logits: Tensor = self.words(states[torch.arange(len(states)), blanks.places])
        return logits


def count(model: nn.Module) -> int:
    """All parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def make(kind: str, seed: int) -> Reader:
    """A reader whose width brings it nearest to the common number of parameters."""
    width = min(range(8, 72, 2), key=lambda width: abs(count(Reader(kind, width)) - PARAMETERS))
    torch.manual_seed(seed)
    return Reader(kind, width)


def in_a_row(kind: str, length: int) -> int:
    """How many steps must wait for each other: words times layers of an LSTM, layers of a Transformer."""
    layers = 1 if kind == "LSTMs, side by side" else 2
    return layers * (length if kind.startswith("LSTM") else 1)


class Result(NamedTuple):
    """What became of one run."""

    loss: float
    right: float
    seconds: float
    tokens: float
    learned: float


def stream(setting: str, seed: int) -> Iterator[Blanks]:
    """New lines for ever."""
    generator = torch.Generator().manual_seed(2 * seed)
    while True:
        yield draw(BATCH, setting, generator)


@torch.no_grad()
def examine(model: Reader, setting: str, seed: int, groups: int) -> tuple[float, float]:
    """Loss and share of right words on lines that were not trained on."""
    generator = torch.Generator().manual_seed(2 * seed + 1)
    parts = [draw(200, setting, generator) for _ in range(groups)]
    logits, words = torch.cat([model(part) for part in parts]), torch.cat([part.words for part in parts])
    return float(F.cross_entropy(logits, words)), float((logits.argmax(1) == words).double().mean())


def run(kind: str, setting: str, rate: float, seed: int) -> Result:
    """Train one reader; seconds are those of one core, without the examinations."""
    model, lines = make(kind, seed), stream(setting, seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    seconds, tokens, learned = 0.0, 0, float("nan")
    for step in range(1, STEPS + 1):
        blanks = next(lines)
        begin = time.process_time()
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, step / 50, 2 * (STEPS + 1 - step) / STEPS)
        optimizer.zero_grad()
        F.cross_entropy(model(blanks), blanks.words).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seconds, tokens = seconds + time.process_time() - begin, tokens + blanks.ids.numel()
        if learned != learned and step % 20 == 0 and examine(model, setting, seed, PART)[1] > 0.99:
            learned = seconds
    return Result(*examine(model, setting, seed, TEST), seconds, tokens / seconds, learned)


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=["near"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for setting in asked.settings:
        low, high = SETTINGS[setting]
        for kind in KINDS:
            rate = min(RATES, key=lambda rate: run(kind, setting, rate, 1_000).loss)
            runs = [run(kind, setting, rate, seed) for seed in range(asked.seeds)]
            learned = [result.learned for result in runs if result.learned == result.learned]
            rows.append([
                setting, kind, f"{count(make(kind, 0)):,}", f"{rate:g}", spread([r.right for r in runs], ".2f"),
                spread([r.loss for r in runs], ".2f"), f"{len(learned)} of {len(runs)}",
                spread(learned, ".1f") if learned else "never", spread([r.seconds for r in runs], ".1f"),
                spread([r.tokens for r in runs], ",.0f"), str(in_a_row(kind, low + high + 3)),
            ])  # fmt: skip
            print(rows[-1], flush=True)
    heading = ["words between", "model", "parameters", "rate", "right", "loss, nats", "learned", "after seconds",
               "seconds in all", "tokens a second", "steps in a row"]  # fmt: skip
    between = "; ".join(f"{name}: {low} to {high}" for name, (low, high) in SETTINGS.items() if name in asked.settings)
    notes = (
        f"{STEPS:,} steps of {BATCH} lines, seeds 0 to {asked.seeds - 1}: median (range). Other words on each side of "
        f"the blank: {between}. Learned: more than 0.99 right. Seconds: of one core. Steps in a row: those that wait "
        "for each other, for a line of middle length. Best possible: 1.00 right and 0.00 nats from both sides, 0.50 "
        "and 0.69 from one."
    )
    title = "# Where the two sides meet"
    report = "\n\n".join([title, circumstances(torch.device("cpu")), notes, table(heading, rows)])
    print("\n" + report)
    if asked.write:
        store(asked.write, report)


if __name__ == "__main__":
    main()
