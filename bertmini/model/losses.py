"""The loss of every head: cross-entropy, averaged over what is scored.

A label of -100 is not scored. Taught in chapter 05.
"""

import torch.nn.functional as F
from torch import Tensor

from bertmini.config import IGNORED


def mean_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Average -log p(target), in nats, over the targets that are not -100; 0 if none is: (N, C), (N,) to ()."""
    try:
        total = F.cross_entropy(logits.float(), targets, reduction="sum", ignore_index=IGNORED)
    except IndexError as error:
        raise ValueError(
            f"labels run from {int(targets.min())} to {int(targets.max())}, but there are {logits.shape[-1]} classes: "
            "expected 0 to one less than that, or -100 where nothing is scored"
        ) from error
    return total / (targets != IGNORED).sum().clamp(min=1)


def scored_places(labels: Tensor) -> Tensor:
    """Find the places in the flattened batch that are scored: (B, S) to (N,)."""
    return (labels.flatten() != IGNORED).nonzero().squeeze(1)
