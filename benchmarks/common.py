"""What the benchmarks share: the examples, the peers, interleaved timing, and a table with its circumstances."""

import datetime
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import transformers
from torch import Tensor, nn

from bertmini.config import IGNORED, PRESETS, BertConfig
from bertmini.data.batches import Batch
from bertmini.data.masking import Masking
from bertmini.data.pairs import Pair
from bertmini.data.pretraining import first_fit, lay_out
from bertmini.data.wordpiece import WordPieceTokenizer

VOCAB_SIZE = 8_192
LONGEST = 128
RESULTS = Path(__file__).parent / "results"
SIZES = {"2x128": "tiny", "4x256": "mini", "4x512": "small", "12x768": "base"}

transformers.logging.set_verbosity_error()


def make_tokenizer() -> WordPieceTokenizer:
    """Make a vocabulary of the right size; what its pieces spell does not matter for speed."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return WordPieceTokenizer.from_vocab([*specials, *(f"w{i}" for i in range(VOCAB_SIZE - len(specials)))])


def make_examples(count: int, *, seed: int) -> list[Pair]:
    """Draw pairs of 20 to 128 tokens, uniformly, special tokens counted, with random ids."""
    generator = torch.Generator().manual_seed(seed)
    pairs = []
    for length in torch.randint(20, LONGEST + 1, (count,), generator=generator).tolist():
        ids = torch.randint(5, VOCAB_SIZE, (length - 3,), generator=generator).tolist()
        pairs.append(Pair(ids[: len(ids) // 2], ids[len(ids) // 2 :], len(pairs) % 2))
    return pairs


def make_batches(pairs: Sequence[Pair], tokenizer: WordPieceTokenizer, *, seed: int) -> tuple[Batch, Batch]:
    """Lay the same pairs out twice, padded to 128 and packed, with the same positions masked in the same way."""
    rows = first_fit(pairs, LONGEST)
    packed = lay_out(rows, tokenizer)
    ids, labels = Masking(tokenizer.pieces)(packed["input_ids"], generator=torch.Generator().manual_seed(seed))
    packed |= {"input_ids": ids, "labels": labels}
    padded = {name: packed[name].new_zeros(len(pairs), LONGEST) for name in packed if name != "next_sentence_label"}
    padded["labels"].fill_(IGNORED)
    padded["next_sentence_label"] = packed["next_sentence_label"]
    number = 0
    for row, mask in enumerate(packed["attention_mask"]):
        for sequence in range(1, int(mask.max()) + 1):
            here = mask == sequence
            for name in ("input_ids", "token_type_ids", "labels"):
                padded[name][number, : int(here.sum())] = packed[name][row, here]
            padded["attention_mask"][number, : int(here.sum())] = 1
            number += 1
    return padded, packed


def make_config(size: str, dropout: float) -> BertConfig:
    """Take a preset's shape with the benchmark's vocabulary and dropout."""
    preset = PRESETS[SIZES[size]]
    return replace(preset, vocab_size=VOCAB_SIZE, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)


def make_peer(config: BertConfig) -> nn.Module:
    """Build `transformers.BertForPreTraining` as users run it: random weights, scaled-dot-product attention."""
    names = (
        "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
        "hidden_dropout_prob", "attention_probs_dropout_prob", "max_position_embeddings",
    )  # fmt: skip
    values = {name: getattr(config, name) for name in names}
    peer: nn.Module = transformers.BertForPreTraining(transformers.BertConfig(**values))
    return peer


def synchronize(device: torch.device) -> None:
    """Wait for the device, so that a clock measures the work and not its being ordered."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def interleave(
    systems: Mapping[str, Callable[[int], object]], rounds: int, device: torch.device, *, warmup: int = 2
) -> dict[str, float]:
    """Time the systems in turn, so that a busy minute hits all alike: median seconds of each."""
    times: dict[str, list[float]] = {name: [] for name in systems}
    for turn in range(rounds + warmup):
        for name, run in systems.items():
            synchronize(device)
            begin = time.perf_counter()
            run(turn)
            synchronize(device)
            if turn >= warmup:
                times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def gemm_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Measure the best matrix product this machine does here and now, in FLOP/s."""
    size = 8_192 if device.type == "cuda" else 2_048
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(8):
        synchronize(device)
        begin = time.perf_counter()
        a @ b
        synchronize(device)
        best = min(best, time.perf_counter() - begin)
    return 2 * size**3 / best


def count_tokens(mask: Tensor) -> int:
    """Count tokens that are not padding."""
    return int((mask > 0).sum())


def circumstances(device: torch.device) -> str:
    """Say when, where and with what."""
    if device.type == "cuda":
        hardware = torch.cuda.get_device_name(device)
    else:
        cpu = Path("/proc/cpuinfo")
        models = (
            [line for line in cpu.read_text().splitlines() if line.startswith("model name")] if cpu.exists() else []
        )
        name = models[0].split(":")[1].strip() if models else platform.processor()
        bf16 = "with" if torch.cpu.get_capabilities().get("avx512_bf16") else "without"
        hardware = f"{name}, {torch.get_num_threads()} threads, {bf16} avx512_bf16"
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    return f"{datetime.date.today()}, {hardware}, Python {platform.python_version()}, {versions}"


def spread(values: Sequence[float], form: str) -> str:
    """Write the median and the range: `spread([1, 2, 4], ".0f")` is "2 (1 to 4)"."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out as a Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def publish(text: str, name: str | None) -> None:
    """Print a result, and write it under `results/` if it has a name there."""
    print(text)
    if name:
        store(name, text)


def store(name: str, text: str) -> None:
    """Write a result under `results/`."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(text.rstrip() + "\n", encoding="utf-8")
