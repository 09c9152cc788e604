"""Attention: every token asks, every token answers, and each answer is a weighted mean of values.

Scaled dot-product attention and its multi-head form are equation 1 and section 3.2.2 of Vaswani et al. 2017. Each head
*projects the whole* hidden vector to its own queries, keys and values; it does not cut the vector into slices.

Shapes: B batch, S sequence, H heads, D head size, E = H * D hidden. Taught in chapter 03.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.config import BertConfig


class Attention(NamedTuple):
    """What attention returns: the mixed values, and the weights if they were asked for."""

    output: Tensor
    weights: Tensor | None


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *, dropout: float = 0.0
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
    weights = F.dropout(scores.softmax(dim=-1), dropout)
    return Attention(weights @ value, weights)


class MultiHeadAttention(nn.Module):
    """H heads side by side, their outputs joined and mixed by one more linear map (Vaswani et al. 2017, 3.2.2)."""

    def __init__(self, config: BertConfig) -> None:
        """Make four linear maps of E to E: query, key, value and output."""
        super().__init__()
        self.heads = config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)

    def split(self, hidden: Tensor) -> Tensor:
        """Give each head its own D numbers: (B, S, E) to (B, H, S, D)."""
        return hidden.view(*hidden.shape[:2], self.heads, hidden.shape[2] // self.heads).transpose(1, 2)

    def forward(self, hidden: Tensor, mask: Tensor | None = None, *, output_attentions: bool = False) -> Attention:
        """Mix each token with those it attends to.

        Shapes: `hidden` (B, S, E); `mask` broadcasts to (B, H, S, S), True = attend. Returns (B, S, E) and, if asked
        for, the weights (B, H, S, S); without them PyTorch's fused kernel computes the same numbers faster.
        """
        query, key, value = (self.split(project(hidden)) for project in (self.query, self.key, self.value))
        dropout = self.dropout if self.training else 0.0
        if output_attentions:
            mixed, weights = scaled_dot_product_attention(query, key, value, mask, dropout=dropout)
        else:
            mixed, weights = F.scaled_dot_product_attention(query, key, value, mask, dropout), None
        joined = mixed.transpose(1, 2).flatten(2)  # (B, S, E)
        return Attention(self.output(joined), weights)
