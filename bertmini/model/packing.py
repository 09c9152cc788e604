"""Who sees whom: one integer per token says which sequence it belongs to.

`attention_mask` is 0 for padding and 1 for a token, as everywhere. A *packed* row holds several sequences one after
another, numbered 1, 2, 3, ...: a token then sees only tokens that carry its own number, and positions start again at 0
with each sequence (Krell et al. 2021, "Efficient Sequence Packing without Cross-contamination"). A plain batch is the
special case of one sequence per row, so every function below treats both alike.

Shapes: B batch, S sequence, D number of sequences in the batch (D = B when nothing is packed). Taught in chapter 15.
"""

from torch import Tensor

from bertmini.model.positions import starts


def first_tokens(attention_mask: Tensor) -> Tensor:
    """Find each sequence's first token, where [CLS] stands: (B, S) to (D,) places in the flattened (B * S) batch.

    >>> import torch
    >>> first_tokens(torch.tensor([[1, 1, 1, 2, 2, 0], [1, 1, 0, 0, 0, 0]]))
    tensor([0, 3, 6])
    """
    first = starts(attention_mask)
    first[:, 0] = True
    return first.flatten().nonzero().squeeze(1)


def visible(queries: Tensor, keys: Tensor) -> Tensor:
    """Say which keys each query may read: (B, S_q) and (B, S_k) numbers to (B, 1, S_q, S_k), True = attend.

    Nothing reads padding. Padding itself reads every token of its row, as in Hugging Face's BERT: nobody uses the
    result, and a query that may read nothing would have a softmax over nothing.

    >>> import torch
    >>> row = torch.tensor([[1, 2, 0]])
    >>> visible(row, row).int()[0, 0]
    tensor([[1, 0, 0],
            [0, 1, 0],
            [1, 1, 0]], dtype=torch.int32)
    """
    query, key = queries[:, None, :, None], keys[:, None, None, :]
    return (key > 0) & ((query == key) | (query == 0))
