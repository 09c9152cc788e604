"""What is in a checkpoint: its parameters, counted by part. Taught in chapter 04."""

from collections import Counter
from pathlib import Path

from bertmini.model.pretrained import read_tensors


def count_parameters(folder: Path) -> Counter[str]:
    """Count a checkpoint's parameters by part, the layers together; raises `ValueError` for what is no checkpoint."""
    counts: Counter[str] = Counter()
    for name, tensor in read_tensors(folder).items():
        part, _, rest = name.removeprefix("bert.").partition(".")
        if part in ("embeddings", "layers"):
            part = f"{part}: {rest.split('.')[0] if part == 'embeddings' else layer_part(rest)}"
        counts[part] += tensor.numel()
    return counts


def layer_part(rest: str) -> str:
    """Say which half of a layer a tensor belongs to: `3.attention.query.weight` is of the attention."""
    return "attention" if "attention" in rest else "feed-forward"
