"""A training step - forward, loss, backward, AdamW - of ours and of the peers, on the same examples.

One process, all systems in turn, medians. Real tokens per second: padding does not count. Peak memory is measured in a
process of its own for each system: how much the resident set grew at its peak (on a GPU, the allocator's peak).

    python benchmarks/train_step.py                         # the table on this machine, float32 and bf16
    python benchmarks/train_step.py --sizes 4x256 --ablation --write
"""

import argparse
import itertools
import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import torch
from common import (
    LONGEST,
    circumstances,
    count_tokens,
    gemm_peak,
    interleave,
    make_batches,
    make_config,
    make_examples,
    make_peer,
    make_tokenizer,
    store,
    table,
)
from torch import Tensor, nn

from bertmini.config import IGNORED, BertConfig
from bertmini.data.batches import Batch
from bertmini.model import fast
from bertmini.model.attention import ByteDropout
from bertmini.model.encoder import BertModel
from bertmini.model.losses import mean_cross_entropy
from bertmini.model.pretraining import BertForPreTraining
from bertmini.training.optim import make_optimizer, set_learning_rate

BATCHES, BATCH_SIZE = 16, 32  # as many as there are rounds or more: in bf16 a shape that comes again is cheaper


class TorchEncoder(nn.Module):
    """BERT from `torch.nn.TransformerEncoder`, as a tutorial would build it: the head everywhere, then the loss."""

    def __init__(self, config: BertConfig) -> None:
        """Build embeddings, encoder and both heads."""
        super().__init__()
        width = config.hidden_size
        self.word = nn.Embedding(config.vocab_size, width)
        self.position = nn.Embedding(config.max_position_embeddings, width)
        self.segment = nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width)
        layer = nn.TransformerEncoderLayer(
            width,
            config.num_attention_heads,
            config.intermediate_size,
            config.hidden_dropout_prob,
            "gelu",
            batch_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, config.num_hidden_layers)
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.pooler, self.nsp = nn.Linear(width, width), nn.Linear(width, 2)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        next_sentence_label: Tensor,
    ) -> Tensor:
        """Compute the joint loss."""
        place = torch.arange(input_ids.shape[1], device=input_ids.device)
        hidden = self.norm(self.word(input_ids) + self.position(place) + self.segment(token_type_ids))
        hidden = self.encoder(hidden, src_key_padding_mask=attention_mask == 0)
        logits = nn.functional.linear(self.transform(hidden), self.word.weight, self.bias)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
        pooled = torch.tanh(self.pooler(hidden[:, 0]))
        return loss + nn.functional.cross_entropy(self.nsp(pooled), next_sentence_label)


Loss = Callable[[Batch], Tensor]


class System(NamedTuple):
    """A competitor: how its batches are laid out, and how it is built (its loss, and the model behind it)."""

    layout: str
    build: Callable[[BertConfig, torch.device], tuple[Loss, nn.Module]]


Build = Callable[[BertConfig, torch.device], tuple[Loss, nn.Module]]


def ours(*, compiled: bool = False, without: str = "") -> Build:
    """Say how to build our model, perhaps without one of the tricks in `WITHOUT`."""

    def build(config: BertConfig, device: torch.device) -> tuple[Loss, nn.Module]:
        model = BertForPreTraining(config).to(device).train()
        model.bert.loose = without != "loose tokens"
        if without == "byte dropout":
            for module in model.modules():
                if isinstance(module, ByteDropout):
                    module.__class__ = nn.Dropout
        run = torch.compile(model, dynamic=True) if compiled else model

        def loss(batch: Batch) -> Tensor:
            with WITHOUT[without]():
                return run(**batch).loss

        return loss, model

    return build


def read_after_whole_layers(
    bert: BertModel, ids: tuple[Tensor, Tensor, Tensor], mask: Tensor, places: Tensor
) -> Tensor:
    """Compute all layers for all tokens, and pick what is read."""
    seating = fast.take_seats(mask, places)
    hidden = bert.embeddings(*(seating.tokens.unseat(part) for part in ids))
    for layer in bert.layers:
        hidden, _ = layer(hidden, seating.together)
    return hidden.index_select(0, seating.readers[: len(places)])


WITHOUT: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "": nullcontext,
    "loose tokens": nullcontext,
    "byte dropout": nullcontext,
    "the last layer's few": lambda: patch.object(BertModel, "read", read_after_whole_layers),
    "the formula in attention": lambda: patch.object(fast, "spelled_out", fast.kernel_attention),
    "round numbers": lambda: patch.object(fast, "ROUND", 1),
}


def peer(*, compiled: bool) -> Build:
    """Say how to build Hugging Face's."""

    def build(config: BertConfig, device: torch.device) -> tuple[Loss, nn.Module]:
        model = make_peer(config).to(device).train()
        run = torch.compile(model) if compiled else model
        return lambda batch: run(**batch).loss, model

    return build


def tutorial(config: BertConfig, device: torch.device) -> tuple[Loss, nn.Module]:
    """Build the tutorials' encoder."""
    model = TorchEncoder(config).to(device).train()
    return lambda batch: model(**batch), model


def head_everywhere(config: BertConfig, device: torch.device) -> tuple[Loss, nn.Module]:
    """Build ours without any trick: also the vocabulary projection at every token, as the peers do it."""
    model = BertForPreTraining(config).to(device).train()

    def loss(batch: Batch) -> Tensor:
        inputs = {name: batch[name] for name in ("input_ids", "token_type_ids", "attention_mask")}
        output = model(**inputs)
        tokens = mean_cross_entropy(output.prediction_logits.flatten(0, 1), batch["labels"].flatten())
        return tokens + mean_cross_entropy(output.seq_relationship_logits, batch["next_sentence_label"])

    return loss, model


REFERENCE = "transformers (sdpa)"
SYSTEMS = {
    REFERENCE: System("padded", peer(compiled=False)),
    "nn.TransformerEncoder": System("padded", tutorial),
    "bertmini, padded batch": System("padded", ours()),
    "bertmini, packed": System("packed", ours()),
}
COMPILED = {
    "transformers, compiled": System("padded", peer(compiled=True)),
    "bertmini, packed, compiled": System("packed", ours(compiled=True)),
}
ABLATION = {
    "no trick at all": System("padded", head_everywhere),
    "only the head where scored": System("padded", ours(without="loose tokens")),
    **{f"packed, without {trick}": System("packed", ours(without=trick)) for trick in WITHOUT if trick},
}


def make_step(loss: Loss, model: nn.Module, batches: list[Batch], *, bf16: bool) -> Callable[[int], None]:
    """Make one training step, called with the number of the turn."""
    optimizer = make_optimizer(model)
    set_learning_rate(optimizer, 1e-4)
    device = next(model.parameters()).device.type

    def step(turn: int) -> None:
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            value = loss(batches[turn % len(batches)])
        value.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def flops(config: BertConfig, batches: list[Batch]) -> float:
    """Count what a step needs at least: 6 per weight and token, the head where scored only, and attention's own."""
    width, layers = config.hidden_size, config.num_hidden_layers
    weights = layers * (4 * width**2 + 2 * width * config.intermediate_size)
    total = 0.0
    for batch in batches:
        lengths = (batch["attention_mask"] > 0).sum(1).double()
        scored = int((batch["labels"] != IGNORED).sum())
        total += 6 * weights * float(lengths.sum()) + 12 * layers * width * float((lengths**2).sum())
        total += 6 * scored * (width * config.vocab_size + width**2)
    return total / len(batches)


def data(device: torch.device) -> dict[str, list[Batch]]:
    """Make the same examples in both layouts."""
    tokenizer = make_tokenizer()
    made = [make_batches(make_examples(BATCH_SIZE, seed=seed), tokenizer, seed=seed) for seed in range(BATCHES)]
    on_device = [[{name: t.to(device) for name, t in batch.items()} for batch in both] for both in made]
    return {"padded": [padded for padded, _ in on_device], "packed": [packed for _, packed in on_device]}


def peak_resident_set() -> int:
    """Read this process's peak in bytes. Linux keeps it in /proc, where, unlike in rusage, a child begins anew."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def peak_memory(name: str, size: str, dropout: float, bf16: bool, threads: int) -> float:
    """Train one system for six steps, alone in this process: the growth of its peak, in bytes."""
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    system, batches = SYSTEMS[name], data(device)
    before = peak_resident_set()
    step = make_step(*system.build(make_config(size, dropout), device), batches[system.layout], bf16=bf16)
    for turn in range(6):
        step(turn)
    return float(torch.cuda.max_memory_allocated() if device.type == "cuda" else peak_resident_set() - before)


def measure_memory(*arguments: object) -> dict[str, float]:
    """Measure each system's peak in a fresh process."""
    peaks = {}
    for name in SYSTEMS:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            peaks[name] = process.submit(peak_memory, name, *arguments).result()
    return peaks


def measure(
    systems: dict[str, System], size: str, dropout: float, bf16: bool, rounds: int, *, memory: bool
) -> tuple[list[str], list[list[str]]]:
    """Measure all systems at one size: the heading and the rows of a table."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    config, batches = make_config(size, dropout), data(device)
    tokens = sum(count_tokens(batch["attention_mask"]) for batch in batches["padded"]) / BATCHES
    peak = gemm_peak(device, torch.bfloat16 if bf16 else torch.float32)
    steps = {name: make_step(*s.build(config, device), batches[s.layout], bf16=bf16) for name, s in systems.items()}
    seconds = interleave(steps, rounds, device, warmup=4)
    bytes_ = measure_memory(size, dropout, bf16, torch.get_num_threads()) if memory else {}
    needed = flops(config, batches["padded"])
    rows = [
        [
            name,
            f"{1e3 * s:.1f}",
            f"{tokens / s:,.0f}",
            f"{seconds[REFERENCE] / s:.2f}",
            f"{needed / s / peak:.1%}",
            f"{bytes_[name] / 2**20:.0f}" if name in bytes_ else "",
        ]
        for name, s in seconds.items()
    ]
    return ["system", "ms/step", "real tokens/s", "ratio", f"of {peak / 1e9:,.0f} GFLOP/s", "peak MiB"], rows


def main() -> None:
    """Print the tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["2x128", "4x256", "4x512"])
    parser.add_argument("--precisions", nargs="+", default=["bf16", "float32"])
    parser.add_argument("--dropouts", nargs="+", type=float, default=[0.1, 0.0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ablation", action="store_true", help="one row for each trick left out")
    parser.add_argument("--compiled", action="store_true", help="also torch.compile, which takes minutes")
    parser.add_argument("--memory", action="store_true", help="also peak memory, each system in a process of its own")
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()

    torch.set_num_threads(asked.threads)
    systems = SYSTEMS | (COMPILED if asked.compiled else {}) | (ABLATION if asked.ablation else {})
    parts = [
        "# A training step beside the peers",
        circumstances(torch.device("cuda" if torch.cuda.is_available() else "cpu")),
        f"{BATCH_SIZE} sequences of 20 to {LONGEST} tokens a step; padded layout: {LONGEST} columns. Medians of "
        f"{asked.rounds} interleaved rounds; ratio: real tokens per second over those of {REFERENCE}.",
    ]
    print("\n\n".join(parts), flush=True)
    for precision, size, dropout in itertools.product(asked.precisions, asked.sizes, asked.dropouts):
        heading, rows = measure(systems, size, dropout, precision == "bf16", asked.rounds, memory=asked.memory)
        parts += [f"## {size}, {precision}, dropout {dropout}", table(heading, rows)]
        print("\n" + "\n\n".join(parts[-2:]), flush=True)
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
