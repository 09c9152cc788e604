"""Two versions of the package beside each other in one process: a change of the encoder must not cost speed.

A training step, embeddings and filled blanks of the same batches, old and new by turns, so that a busy minute hits
both; the ratio is the median of the rounds' ratios, above 1 where the new one is quicker. Peak memory is measured in
five processes for each. The old version is a checkout of an earlier commit:

    git worktree add ../earlier COMMIT
    python benchmarks/two_versions.py ../earlier . --threads 1
"""

import argparse
import itertools
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch
from common import LONGEST, VOCAB_SIZE, circumstances, make_config, spread, store, table
from torch import Tensor

ROWS, BATCHES, PEAKS = 32, 4, 5
TASKS = ("training step", "embeddings", "filled blanks")


def load(folder: Path) -> Any:
    """Import the package as it stands in a folder, whatever was imported under its name before."""
    for name in [name for name in sys.modules if name.split(".")[0] == "bertmini"]:
        del sys.modules[name]
    sys.path.insert(0, str(folder.resolve()))
    try:
        import bertmini
    finally:
        sys.path.pop(0)
    if Path(bertmini.__file__).resolve().parent.parent != folder.resolve():
        raise ValueError(f"{folder} holds no package bertmini: expected a checkout of the project")
    return bertmini


def batches() -> list[dict[str, Tensor]]:
    """Random rows of 20 to 128 tokens, padded to 128; about 15 % of the tokens are scored."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for _ in range(BATCHES):
        lengths = torch.randint(20, LONGEST + 1, (ROWS, 1), generator=generator)
        mask = (torch.arange(LONGEST) < lengths).long()
        ids = torch.randint(5, VOCAB_SIZE, mask.shape, generator=generator) * mask
        scored = (torch.rand(mask.shape, generator=generator) < 0.15) & (mask > 0)
        made.append(
            {
                "input_ids": ids,
                "token_type_ids": torch.zeros_like(ids),
                "attention_mask": mask,
                "labels": torch.where(scored, ids, -100),
                "next_sentence_label": torch.randint(2, (ROWS,), generator=generator),
            }
        )
    return made


def make_task(
    package: Any, task: str, size: str, dropout: float, *, bf16: bool
) -> Callable[[dict[str, Tensor]], float]:
    """Build a model of one version and say what it does with a batch; it returns a number to compare."""
    torch.manual_seed(0)
    model = package.BertForPreTraining(package.BertConfig(**vars(make_config(size, dropout))))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def learn(batch: dict[str, Tensor]) -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    @torch.inference_mode()
    def look(batch: dict[str, Tensor]) -> float:
        inputs = {name: batch[name] for name in ("input_ids", "token_type_ids", "attention_mask")}
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            if task == "embeddings":
                return float(model.bert(**inputs).last_hidden_state.float().mean())
            blanks = (batch["labels"].flatten() != -100).nonzero().squeeze(1)
            return float(model(**inputs, places=blanks).prediction_logits.float().mean())

    model.train(task == "training step")
    return learn if task == "training step" else look


def measure(
    packages: list[Any], task: str, size: str, dropout: float, rounds: int, *, bf16: bool
) -> tuple[str, str, str]:
    """Time both versions by turns: milliseconds of each, and the ratios."""
    runs = [make_task(package, task, size, dropout, bf16=bf16) for package in packages]
    given = batches()
    seconds: list[list[float]] = [[], []]
    for turn in range(BATCHES + rounds):
        for number in (0, 1) if turn % 2 else (1, 0):
            begin = time.perf_counter()
            runs[number](given[turn % BATCHES])
            if turn >= BATCHES:
                seconds[number].append(time.perf_counter() - begin)
    ratios = [old / new for old, new in zip(*seconds, strict=True)]
    before, after = (f"{1e3 * statistics.median(times):.1f}" for times in seconds)
    return before, after, spread(ratios, ".2f")


def peak(folder: Path, size: str, threads: int) -> float:
    """Train one version for six steps, alone in this process: the growth of the resident set's peak, in MiB."""
    from train_step import peak_resident_set

    torch.set_num_threads(threads)
    package = load(folder)
    run, given, before = make_task(package, TASKS[0], size, 0.1, bf16=False), batches(), peak_resident_set()
    for turn in range(6):
        run(given[turn % BATCHES])
    return (peak_resident_set() - before) / 2**20


def rows(folders: list[Path], asked: argparse.Namespace) -> Iterator[list[str]]:
    """Give a row for each task, size, precision and rate of dropout."""
    packages = [load(folder) for folder in folders]
    for task, size, precision in itertools.product(TASKS, asked.sizes, asked.precisions):
        for dropout in asked.dropouts if task == TASKS[0] else [0.0]:
            figures = measure(packages, task, size, dropout, asked.rounds, bf16=precision == "bf16")
            yield [task, size, precision, str(dropout), *figures]
    for size in asked.sizes:
        peaks: list[list[float]] = [[], []]
        for number in PEAKS * (0, 1):
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
                peaks[number].append(process.submit(peak, folders[number], size, asked.threads).result())
        ratios = [old / new for old, new in zip(*peaks, strict=True)]
        before, after = (f"{statistics.median(mib):.0f}" for mib in peaks)
        yield ["peak MiB", size, "float32", "0.1", before, after, spread(ratios, ".2f")]


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--sizes", nargs="+", default=["2x128", "4x256"])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bf16"])
    parser.add_argument("--dropouts", nargs="+", type=float, default=[0.1, 0.0])
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()

    torch.set_num_threads(asked.threads)
    heading = ["task, ms", "size", "precision", "dropout", "old", "new", "old / new, median (range)"]
    parts = [
        "# Two versions beside each other",
        circumstances(torch.device("cpu")),
        f"{ROWS} rows of 20 to {LONGEST} tokens, padded; {asked.rounds} rounds, by turns.",
        table(heading, list(rows([asked.old, asked.new], asked))),
    ]
    print("\n\n".join(parts))
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
