"""Two questions at once: what one attention head makes of them, and two heads with as many parameters.

Chapter 03's task. Six cards, each a person and a pet; a seventh token asks for the pets of two of the persons, and two
linear maps read the answers from what attention hands it. Five seeds of one and of two heads at two widths.
*Loss*: nats per answer, the mean of the last 50 batches before each step. *Right*: the share of right answers to
either question, the worse one first. *Weight*: each head's mean weight on the asked cards, in the same order.

    python benchmarks/two_questions.py --write two_questions.md
"""

import argparse
from typing import NamedTuple

import torch
import torch.nn.functional as F
from common import circumstances, store, table
from torch import Tensor, nn

from bertmini import BertConfig, MultiHeadAttention, Rows

PEOPLE, PETS, CARDS = 26, 8, 6
WIDTHS, HEADS, SEEDS = (32, 64), (1, 2), 5
STEPS, ROWS, LEARNING_RATE = 3_000, 128, 5e-3
LOOKED_AT = (300, 600, 1_000, 2_000, 3_000)


class Reader(nn.Module):
    """One attention layer between embeddings and one linear map per question."""

    def __init__(self, heads: int, size: int) -> None:
        """Make tables, attention and maps."""
        super().__init__()
        self.person, self.pet = nn.Embedding(PEOPLE, size), nn.Embedding(PETS, size)
        self.questions = nn.ModuleList(nn.Embedding(PEOPLE, size) for _ in range(2))
        config = BertConfig(
            vocab_size=99, hidden_size=size, num_attention_heads=heads, attention_probs_dropout_prob=0.0
        )
        self.attention = MultiHeadAttention(config)
        self.answers = nn.ModuleList(nn.Linear(size, PETS) for _ in range(2))

    def forward(self, people: Tensor, pets: Tensor, asked: Tensor) -> tuple[list[Tensor], Tensor]:
        """Logits for each question, and the weights of the asking token: (B, H, S)."""
        cards = self.person(people) + self.pet(pets)
        asking = sum(embed(people.gather(1, asked[:, [i]])) for i, embed in enumerate(self.questions))
        x = torch.cat([cards, asking], dim=1)
        mixed, weights = self.attention(x, x, Rows(output_attentions=True))
        return [answer(mixed[:, -1]) for answer in self.answers], weights[:, :, -1]


class Outcome(NamedTuple):
    """What came of one run."""

    losses: list[float]
    right: list[float]
    weights: list[list[float]]


def deal(rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """People, all different in a row, and their pets, (rows, cards); which two cards are asked about."""
    people = torch.rand(rows, PEOPLE, generator=generator).argsort(-1)[:, :CARDS]
    pets = torch.randint(PETS, (rows, CARDS), generator=generator)
    return people, pets, torch.rand(rows, CARDS, generator=generator).argsort(-1)[:, :2]


def run(heads: int, size: int, seed: int) -> Outcome:
    """Train one reader and examine it on 2,000 new rows."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    reader, losses = Reader(heads, size), []
    optimizer = torch.optim.AdamW(reader.parameters(), lr=LEARNING_RATE)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (1 - step / STEPS)
        people, pets, asked = deal(ROWS, generator)
        logits, _ = reader(people, pets, asked)
        loss = sum(F.cross_entropy(row, pets.gather(1, asked)[:, i]) for i, row in enumerate(logits)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    people, pets, asked = deal(2_000, torch.Generator().manual_seed(99))
    with torch.no_grad():
        logits, weights = reader(people, pets, asked)
    right = [float((row.argmax(-1) == pets.gather(1, asked)[:, i]).double().mean()) for i, row in enumerate(logits)]
    order = sorted(range(2), key=right.__getitem__)
    on_asked = weights.gather(2, asked[:, None].expand(-1, heads, -1)).mean(0)[:, order].tolist()
    return Outcome([sum(losses[step - 50 : step]) / 50 for step in LOOKED_AT], sorted(right), on_asked)


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for size in WIDTHS:
        for heads in HEADS:
            for seed in range(SEEDS):
                found = run(heads, size, seed)
                weights = "; ".join(" ".join(f"{weight:.2f}" for weight in head) for head in found.weights)
                losses = [f"{loss:.3f}" for loss in found.losses]
                rows.append([str(size), str(heads), str(seed), *losses, *(f"{r:.3f}" for r in found.right), weights])
                print(rows[-1], flush=True)
    notes = (
        f"{STEPS} steps of {ROWS} rows, learning rate {LEARNING_RATE} falling to 0, AdamW, {CARDS} cards, {PETS} pets."
    )
    heading = ["width", "heads", "seed", *(f"loss at {step}" for step in LOOKED_AT), "worse", "better", "weights"]
    report = "\n\n".join(["# Two questions at once", circumstances(torch.device("cpu")), notes, table(heading, rows)])
    print("\n" + report)
    if asked.write:
        store(asked.write, report)


if __name__ == "__main__":
    main()
