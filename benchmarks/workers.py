"""Two cores: two threads that share each product, or two workers that share each batch?

Threads meet again after every one of a step's many small operations, workers once a step, to average their gradients
(PyTorch's `DistributedDataParallel`). The first table: wall time and KL from the optimum of the microworld after a
run by two workers, five seeds, median and range. The second: milliseconds per step, workers and threads by turns.

    python benchmarks/workers.py --write workers.md
"""

import argparse
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from common import circumstances, spread, store, table
from microworld import bare_recipe, distance
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from bertmini.model.pretraining import BertForPreTraining
from bertmini.runs.pretrain import build_model
from bertmini.runs.settings import WORLD_SETTINGS, PretrainingSettings
from bertmini.runs.world import world_materials
from bertmini.training.log import History
from bertmini.training.loop import train

WORKERS = 2
WARM = 20  # steps before the clock starts in the comparison of speeds


class Trained(NamedTuple):
    """A model, its history, and the seconds of training alone."""

    model: BertForPreTraining
    history: History
    seconds: float


def train_together(settings: PretrainingSettings) -> Trained:
    """Train as `pretrain` does, without checkpoints, each batch shared by two workers of one thread.

    Raises `RuntimeError` if the second worker fails.
    """
    with TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        second = multiprocessing.get_context("spawn").Process(target=work, args=(1, meeting, settings), daemon=True)
        second.start()
        trained = work(0, meeting, settings)
        second.join()
    if second.exitcode:
        raise RuntimeError(f"the second worker ended with exit code {second.exitcode}; its own error stands above")
    return trained


def work(rank: int, meeting: Path, settings: PretrainingSettings) -> Trained:
    """Be one of the workers: draw pairs of one's own, start from the first worker's weights, average each gradient."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=WORKERS)
    share = replace(settings, batch_size=settings.batch_size // WORKERS, seed=WORKERS * settings.seed + rank)
    materials = world_materials(share)
    model = build_model(share, len(materials.tokenizer), materials.tokenizer.pad_id)
    shared = DistributedDataParallel(model)
    begin = time.perf_counter()
    history = train(shared, materials.stream, bare_recipe(share), device="cpu", progress=False)
    seconds = time.perf_counter() - begin
    distributed.destroy_process_group()
    return Trained(model, history, seconds)


def train_threaded(settings: PretrainingSettings) -> History:
    """Train the same number of pairs per step in one process of two threads."""
    torch.set_num_threads(WORKERS)
    materials = world_materials(settings)
    model = build_model(settings, len(materials.tokenizer), materials.tokenizer.pad_id)
    return train(model, materials.stream, bare_recipe(settings), device="cpu", progress=False)


def milliseconds(history: History) -> float:
    """Average the time of a step."""
    _, seconds = history.column("seconds")
    return 1_000 * (seconds[-1] - seconds[WARM]) / (len(seconds) - 1 - WARM)


def speeds(batch_sizes: list[int], rounds: int) -> str:
    """Time steps of workers and of threads by turns, for several sizes of batch."""
    rows = []
    for batch_size in batch_sizes:
        settings = replace(WORLD_SETTINGS, steps=200 + WARM, batch_size=batch_size)
        pairs = [
            (milliseconds(train_together(settings).history), milliseconds(train_threaded(settings)))
            for _ in range(rounds)
        ]
        columns = [*zip(*pairs, strict=True), [workers / threads for workers, threads in pairs]]
        rows.append(
            [
                f"{batch_size}",
                *(spread(column, ".1f") for column in columns[:2]),
                spread(columns[2], ".2f"),
            ]
        )
        print(rows[-1], flush=True)
    return table(["pairs per step", "two workers, ms", "two threads, ms", "workers / threads"], rows)


def goal(settings: PretrainingSettings, seeds: int) -> str:
    """Train with several seeds: how long, and how far from the optimum."""
    rows = []
    tokenizer = world_materials(settings).tokenizer
    for seed in range(seeds):
        begin = time.perf_counter()
        trained = train_together(replace(settings, seed=seed))
        with_start = time.perf_counter() - begin
        torch.set_num_threads(WORKERS)
        rows.append((trained.seconds, with_start, *distance(trained.model, tokenizer)))
        print(rows[-1], flush=True)
    seconds, starts, kls, errors = zip(*rows, strict=True)
    cells = [spread(seconds, ".0f"), spread(starts, ".0f"), spread(kls, ".4f"), f"{max(errors):.4f}"]
    heading = [
        "steps x pairs", "seconds, median (range)", "with the second worker's start", "KL in nats, median (range)",
        "standard error",
    ]  # fmt: skip
    return table(heading, [[f"{settings.steps} x {settings.batch_size}", *cells]])


def main() -> None:
    """Print both tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2_600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    settings = replace(WORLD_SETTINGS, steps=asked.steps, batch_size=192, learning_rate=6e-3)
    parts = [
        "# Two workers or two threads",
        circumstances(torch.device("cpu")),
        goal(settings, asked.seeds),
        f"The recipe of `pretrain`, but learning rate {settings.learning_rate:g} instead of "
        f"{WORLD_SETTINGS.learning_rate:g}; each worker makes half of each batch.",
        speeds([128, 192], asked.rounds),
    ]
    print("\n\n".join(parts))
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
