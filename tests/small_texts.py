"""A small English of our own to pretrain on, and how to do it quickly."""

import random
from pathlib import Path

ANIMALS = ["heron", "otter", "badger", "lobster", "walrus", "gecko", "beetle", "magpie"]
PLACES = ["harbour", "library", "bakery", "orchard", "station", "quarry"]
HABITS = ["counts the spoons", "hides a map", "mends the clock", "reads old letters", "paints every door"]
SMALL = ["--preset", "nano", "--max-length", "64", "--vocab-size", "120", "--batch-size", "16", "--device", "cpu"]


def make_corpus(path: Path, documents: int = 60) -> Path:
    """Write three sentences about one animal in each document."""
    draw = random.Random(5)
    lines = []
    for _ in range(documents):
        animal, place = draw.choice(ANIMALS), draw.choice(PLACES)
        lines.append(f"The {animal} lives near the {place} by the sea.")
        lines.append(f"Every morning the {animal} {draw.choice(HABITS)} and complains.")
        lines.append(f"Nobody at the {place} has asked the {animal} why it does so.\n")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
