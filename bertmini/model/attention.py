"""Attention: every token asks, every token answers, and each answer is a weighted mean of values.

Scaled dot-product attention and its multi-head form are equation 1 and section 3.2.2 of Vaswani et al. 2017. Each head
*projects the whole* hidden vector to its own queries, keys and values; it does not cut the vector into slices.

The maps are one thing and how tokens meet is another. `MultiHeadAttention` owns the maps; what it is given as `meet`
brings queries, keys and values together. `Rows` takes them as they lie in a batch; `fast.Seated` takes loose tokens.

Shapes: B batch, S sequence, H heads, D head size, E = H * D hidden. Taught in chapter 03.
"""

import math
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.config import BertConfig


class Attention(NamedTuple):
    """What attention returns: the mixed values, and the weights if they were asked for."""

    output: Tensor
    weights: Tensor | None


class Meet(Protocol):
    """How tokens meet: queries (..., E) of those that ask, keys and values (..., E) of those that answer."""

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, *, heads: int, dropout: nn.Dropout) -> Attention:
        """Mix values: to (..., E), a row per query, and the weights (B, H, S_q, S) if they were asked for."""
        ...


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *, dropout: nn.Dropout | None = None
) -> Attention:
    """Compute softmax(Q K^T / sqrt(D)) V, spelled out (Vaswani et al. 2017, equation 1).

    Shapes: `query` (..., S_q, D), `key` and `value` (..., S_k, D); `mask` broadcasts to (..., S_q, S_k), True = attend.
    Returns the output (..., S_q, D) and the weights (..., S_q, S_k), each row of which sums to 1 before dropout.
    The masked scores are the smallest number, not -infinity: a query that may read nothing would divide 0 by 0, and
    one row of padding alone would make every gradient NaN.
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (..., S_q, S_k)
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1)
    if dropout is not None:
        weights = dropout(weights)
    return Attention(weights @ value, weights)


def split_heads(hidden: Tensor, heads: int) -> Tensor:
    """Give each head its own D numbers: (B, S, E) to (B, H, S, D)."""
    return hidden.view(*hidden.shape[:2], heads, hidden.shape[2] // heads).transpose(1, 2)


def join_heads(mixed: Tensor) -> Tensor:
    """Put the heads' outputs side by side: (B, H, S, D) to (B, S, E)."""
    return mixed.transpose(1, 2).flatten(2)


def kernel_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: nn.Dropout) -> Tensor:
    """Compute the same output by PyTorch's fused kernel, which never holds the weights; shapes as in the formula."""
    return F.scaled_dot_product_attention(query, key, value, mask, dropout.p if dropout.training else 0.0)


class Rows:
    """Tokens meet in the rows of a batch: (B, S, E). A mask says who attends to whom."""

    def __init__(self, mask: Tensor | None = None, *, output_attentions: bool = False) -> None:
        """Take a mask that broadcasts to (B, H, S_q, S), True = attend; None: everybody to everybody."""
        self.mask, self.output_attentions = mask, output_attentions

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, *, heads: int, dropout: nn.Dropout) -> Attention:
        """Mix values, (B, S_q, E) and (B, S, E) to (B, S_q, E); the formula where weights are wanted, else the kernel.

        Both compute the same numbers; the kernel is faster.
        """
        query, key, value = (split_heads(tensor, heads) for tensor in (query, key, value))
        if self.output_attentions:
            mixed, weights = scaled_dot_product_attention(query, key, value, self.mask, dropout=dropout)
        else:
            mixed, weights = kernel_attention(query, key, value, self.mask, dropout), None
        return Attention(join_heads(mixed), weights)


class ByteDropout(nn.Dropout):
    """`nn.Dropout` for a CPU: one random byte decides an element, where PyTorch draws a double.

    Six times quicker; the rate is rounded to a multiple of 1/256. On other devices it is PyTorch's own.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name that nn.Module's callers know)
        """Zero each element with probability `p` in training, and scale up the rest: any shape to the same."""
        if not (self.training and self.p and input.is_cpu):
            return super().forward(input)
        words = torch.empty(input.numel() // 8 + 1, dtype=torch.int64).random_(-(2**63), None)  # eight bytes at a time
        threshold = min(round(256 * self.p), 255)
        kept = words.view(torch.uint8)[: input.numel()].view(input.shape) >= threshold
        return input * kept.to(input.dtype).mul_(256 / (256 - threshold))


class MultiHeadAttention(nn.Module):
    """H heads side by side, their outputs joined and mixed by one more linear map (Vaswani et al. 2017, 3.2.2)."""

    def __init__(self, config: BertConfig) -> None:
        """Make four linear maps of E to E: query, key, value and output."""
        super().__init__()
        self.heads = config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = ByteDropout(config.attention_probs_dropout_prob)

    def split(self, hidden: Tensor) -> Tensor:
        """Give each head its own D numbers, (B, S, E) to (B, H, S, D), as one does who looks at queries and keys."""
        return split_heads(hidden, self.heads)

    def forward(self, asking: Tensor, answering: Tensor, meet: Meet) -> Attention:
        """Mix what answers, (..., E), for each token that asks, (..., E): to the shape of `asking`.

        In self-attention both are the same tokens. `meet` brings them together and says whether weights come back.
        """
        query, key, value = self.query(asking), self.key(answering), self.value(answering)
        mixed, weights = meet(query, key, value, heads=self.heads, dropout=self.dropout)
        return Attention(self.output(mixed), weights)
