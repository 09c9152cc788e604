"""Does a training run end in the same digits on another processor, and what does it cost to make it so?

First table: one small BERT, trained for 200 steps under several settings of PyTorch's, MKL's and oneDNN's variables,
each in a process of its own on one thread, by turns: the loss after the last step, a checksum of all weights, and the
processor time of the 200 steps beside that of the first setting. Compare the checksums between machines.

Second table: how fast two runs part. Chapter 00's run under two settings, and how far apart their losses are.

    PYTHONPATH=. python benchmarks/arithmetic.py --write arithmetic.md
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from common import circumstances, spread, store, table
from youth import PLAIN

from bertmini import BertConfig, BertForPreTraining, WordPieceTokenizer, World
from bertmini import train as train_model
from bertmini.runs.materials import make_stream
from bertmini.runs.pretrain import build_model, make_recipe
from bertmini.runs.settings import choose_settings
from bertmini.runs.world import WorldPairs
from tools.arithmetic import PIN, under

STEPS = 200
FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")
VARIABLES = {"ATen": "ATEN_CPU_CAPABILITY", "MKL": "MKL_CBWR", "oneDNN": "ONEDNN_MAX_CPU_ISA"}
SETTINGS = [
    {},
    {"ATen": "default"},
    {"ATen": "avx2"},
    {"ATen": "avx2", "oneDNN": "AVX2"},
    {"ATen": "avx2", "MKL": "COMPATIBLE"},
    {"ATen": "avx2", "MKL": "AVX2", "oneDNN": "AVX2"},
    {"ATen": "avx2", "MKL": "COMPATIBLE", "oneDNN": "AVX2"},
    {"ATen": "default", "MKL": "COMPATIBLE", "oneDNN": "SSE41"},
]


def train() -> None:
    """Train in the arithmetic of this process, and print loss, checksum and seconds as JSON."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes = BertConfig(
        vocab_size=200, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256,
        max_position_embeddings=64, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, initializer_range=0.07,
    )  # fmt: skip
    model = BertForPreTraining(sizes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(1)
    begin = time.process_time()
    for _ in range(STEPS):
        ids = torch.randint(5, 200, (32, 20), generator=generator).cumsum(1) % 195 + 5
        labels = torch.where(torch.rand(32, 20, generator=generator) < 0.2, ids, -100)
        follows = torch.randint(0, 2, (32,), generator=generator)
        loss = model(torch.where(labels >= 0, 4, ids), labels=labels, next_sentence_label=follows).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    seconds = time.process_time() - begin
    weights = b"".join(parameter.detach().numpy().tobytes() for parameter in model.parameters())
    print(json.dumps([f"{loss.item():.7f}", hashlib.sha256(weights).hexdigest()[:12], seconds]))


def chapter_losses() -> None:
    """Train as chapter 00 does, and print the loss of every step as JSON."""
    torch.set_num_threads(1)
    world = World.default()
    tokenizer = WordPieceTokenizer.from_vocab(world.vocabulary())
    settings = choose_settings({"steps": 2_000, "batch_size": 64, "learning_rate": 3e-3} | PLAIN)
    model = build_model(settings, len(tokenizer), tokenizer.pad_id)
    stream = make_stream(WorldPairs(world), tokenizer, settings)
    history = train_model(model, stream, make_recipe(settings), device="cpu", progress=False)
    print(json.dumps(dict(zip(*history.column("loss"), strict=True))))


def part() -> str:
    """Run the chapter's training under two settings: a table of how far apart the losses are."""
    losses = []
    for name in ("pinned", "ATen default"):
        command, environment = [sys.executable, __file__, "--chapter"], under(name, os.environ)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        losses.append({int(step): loss for step, loss in json.loads(done.stdout).items()})
    apart = {step: abs(loss - losses[1][step]) for step, loss in losses[0].items()}
    rows = []
    for begin in (0, 50, 100, 200, 300, 400, 600, 1_000, 1_900):
        those = [difference for step, difference in apart.items() if begin <= step < begin + 50]
        rows.append([f"{begin} to {begin + 49}", f"{max(those):.0e}" if those else ""])
    return table(["steps", "largest difference of the loss, nats"], rows)


def measure(setting: dict[str, str]) -> tuple[str, str, float]:
    """Train in a process of its own, under one setting."""
    free = {name: value for name, value in os.environ.items() if name not in PIN}
    environment = free | {VARIABLES[library]: value for library, value in setting.items()} | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--one"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    loss, checksum, seconds = json.loads(done.stdout)
    return loss, checksum, seconds


def words(setting: dict[str, str]) -> str:
    """Name a setting, and say which one the book's stored run has."""
    name = ", ".join(f"{library} {value}" for library, value in setting.items()) or "as it comes"
    return f"**{name}**" if {VARIABLES[library]: value for library, value in setting.items()} == PIN else name


def compare(rounds: int) -> list[list[str]]:
    """Run all settings by turns: a row of each."""
    runs = [[measure(setting) for setting in SETTINGS] for _ in range(rounds)]
    rows = []
    for setting, own in zip(SETTINGS, zip(*runs, strict=True), strict=True):
        endings = {(loss, checksum) for loss, checksum, _ in own}
        if len(endings) > 1:
            raise RuntimeError(f"{words(setting)}: the same setting ended in {sorted(endings)}")
        (ending,) = endings
        ratios = [run[2] / turn[0][2] for run, turn in zip(own, runs, strict=True)]
        rows.append([words(setting), *ending, f"{statistics.median(run[2] for run in own):.1f}", spread(ratios, ".2f")])
    return rows


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", action="store_true", help="train in the arithmetic of this process alone")
    parser.add_argument("--chapter", action="store_true", help="train as chapter 00 does, here and now")
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    if asked.one or asked.chapter:
        return train() if asked.one else chapter_losses()
    cpu = Path("/proc/cpuinfo")
    has = [flag for flag in FLAGS if cpu.exists() and flag in cpu.read_text(encoding="utf-8").split()]
    torch.set_num_threads(1)
    heading = ["setting", f"loss after {STEPS} steps", "checksum", "seconds", "beside as it comes, median (range)"]
    parts = [
        "# One arithmetic",
        f"{circumstances(torch.device('cpu'))}; the processor has {', '.join(has) or 'unknown instructions'}",
        table(heading, compare(asked.rounds)),
        "Bold: the setting of the stored run. Seconds are the process's own, for the steps alone.",
        "## How fast two runs part",
        "Chapter 00's run, pinned and under ATen default:",
        part(),
    ]
    print("\n\n".join(parts))
    if asked.write:
        store(asked.write, "\n\n".join(parts))
    return None


if __name__ == "__main__":
    main()
