"""The gradient of one step, from one batch or from several that together do not fit into memory.

Gradients of a sum are sums of gradients, but a loss is a mean. Added up as they come, the means of unequal batches are
not the mean of the one big batch: a token weighs more the fewer are scored beside it. So the batches of a step are read
first, and what each of them scores is counted in its labels (-100 is not scored).

The model stays unknown. Its output has `.loss`, a mean over what `labels` scores; where the loss is a sum of such means
over several labels, the output also has them one by one, in `.losses`, by the labels' names in the batch.

Taught in chapter 07.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

IGNORED = -100  # `F.cross_entropy`'s own


class Stream(Protocol):
    """An endless source of batches that knows where it is. Its state is JSON: dicts, lists, numbers, strings."""

    def __next__(self) -> Mapping[str, Tensor]:
        """Make the next batch."""

    def state_dict(self) -> dict[str, Any]:
        """Name the position, random generators included."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a position."""


def accumulate_gradients(
    model: nn.Module, stream: Stream, batches: int, *, device: torch.device, bf16: bool = False
) -> tuple[Tensor, Tensor]:
    """Add to `.grad` the gradient of the next `batches` batches' loss as if they were one; returns it and the tokens.

    A mean over all batches is the sum of each batch's mean times its share of what is scored; a loss of several parts
    (`.losses`) has such a share for each. A batch that scores nothing of a part has no share in it; if no batch of the
    step does, the model's own word for it stands (0 in this book's models). For a loss over no `labels` the shares are
    those of the rows.

    Tokens are those with `attention_mask` above 0, or, in a batch without one, all elements of its first tensor. Both
    results stay on the device, unread.
    """
    read = [_next_batch(stream) for _ in range(batches)]
    shares: dict[str, list[float]] = {}
    loss, tokens = torch.zeros((), device=device), torch.zeros((), device=device)
    for number, batch in enumerate(read):
        placed = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            output = model(**placed)
        if output.loss is None:
            raise ValueError(f"the model gave no loss for a batch of {', '.join(batch)}: training needs labels")
        parts = _parts(output) if batches > 1 else {"labels": output.loss}
        shares |= {name: _shares(read, name) for name in parts if name not in shares}
        weighted = [part * shares[name][number] for name, part in parts.items() if shares[name][number]]
        if weighted:
            whole: Tensor = torch.stack(weighted).sum()
            whole.backward()  # type: ignore[no-untyped-call]
            loss += whole.detach()
        mask = placed.get("attention_mask")
        tokens += next(iter(placed.values())).numel() if mask is None else (mask > 0).sum()
    return loss, tokens


def _parts(output: Any) -> dict[str, Tensor]:
    """The means that make up `output.loss`, by the labels that they are over: what is trained is always `.loss`."""
    parts: dict[str, Tensor] = getattr(output, "losses", {"labels": output.loss})
    if not torch.allclose(sum(parts.values(), torch.zeros_like(output.loss)), output.loss, rtol=1e-4, equal_nan=True):
        whole = sum(part.item() for part in parts.values())
        raise ValueError(
            f"the output's loss is {output.loss.item():.4f}, but its parts {', '.join(parts)} sum to "
            f"{whole:.4f}: a loss of one's own needs an output without losses, or with its own"
        )
    return parts


def _next_batch(stream: Stream) -> Mapping[str, Tensor]:
    try:
        return next(stream)
    except StopIteration:
        raise ValueError("the stream has ended: training takes an endless one, which begins again by itself") from None


def _shares(batches: Sequence[Mapping[str, Tensor]], name: str) -> list[float]:
    """Share 1 out by what the label `name` scores in each batch; by rows where there is no such label."""
    counts = [
        int((batch[name] != IGNORED).sum()) if name in batch else len(next(iter(batch.values()))) for batch in batches
    ]
    return [count / sum(counts) if any(counts) else 1 / len(batches) for count in counts]
