"""Where a token stands: positions count from the beginning of its sequence, also where several share a row.

BERT looks each position up in a learned table (Devlin et al. 2019, figure 2); the table is one of `BertEmbeddings`.

Shapes: B batch, S sequence. Taught in chapter 04; packed rows in chapter 15.
"""

import torch
from torch import Tensor


def starts(attention_mask: Tensor) -> Tensor:
    """Mark where a packed row begins its second, third, ... sequence: (B, S) integers to (B, S) booleans."""
    before = attention_mask.roll(1, dims=1)  # the first column, which begins a sequence anyway, sees the last
    return (attention_mask > 1) & (attention_mask != before)


def position_ids(attention_mask: Tensor) -> Tensor:
    """Count positions from the beginning of each sequence: (B, S) to (B, S).

    >>> position_ids(torch.tensor([[1, 1, 1, 2, 2, 0]]))
    tensor([[0, 1, 2, 0, 1, 2]])
    """
    first = starts(attention_mask)
    number = first.cumsum(dim=1)  # of the sequence in its row
    columns = attention_mask.shape[1]
    index = torch.arange(columns, device=attention_mask.device).expand_as(number)
    # Where each sequence begins, by number; what begins none is written beside it. (ONNX has no cumulative maximum.)
    begins = torch.zeros_like(number[:, :1]).repeat(1, columns + 1)
    begins = begins.scatter(1, torch.where(first, number, columns), index)
    return index - begins.gather(1, number)
