"""What is in a checkpoint: its sizes, and its parameters counted by part. Taught in chapter 04."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from bertmini.config import BertConfig
from bertmini.model.pretrained import read_config, read_tensors


class Info(NamedTuple):
    """A checkpoint's sizes, and how many parameters each of its parts has, the layers together."""

    config: BertConfig
    parameters: Counter[str]


def info(folder: Path) -> Info:
    """Read a checkpoint's sizes and count its parameters; raises `ValueError` for what is no checkpoint."""
    config = read_config(folder)
    counts: Counter[str] = Counter()
    for name, tensor in read_tensors(folder).items():
        part, _, rest = name.removeprefix("bert.").partition(".")
        if part == "embeddings":
            part = f"embeddings: {rest.split('.')[0]}"
        elif part == "layers":
            part = f"layers: {'attention' if 'attention' in rest else 'feed-forward'}"
        counts[part] += tensor.numel()
    return Info(config, counts)
