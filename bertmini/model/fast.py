"""Loose tokens instead of padded rows: another way to meet, not another encoder.

A batch is laid out in rows, but a loss reads few of its states. Here the encoder works on *loose* tokens (T, E):
padding is cut out before the first layer, every matrix multiplies only tokens that exist, and the last layer asks only
for the states that are read. Tokens take seats in rows only where they meet, in attention, and get up again. Without
dropout the loss and every gradient equal the plain path's up to rounding.

On a CPU two more things pay: the formula beats the fused kernel in bf16, for narrow heads and wherever there is
dropout; and in bf16 numbers of tokens are rounded up, for each new shape costs its kernels' compilation.

Shapes: B rows, S columns, T tokens that exist, N places that are read, H heads, D head size, E = H * D hidden.
Taught in chapter 15.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from bertmini.model.attention import Attention, join_heads, kernel_attention, split_heads
from bertmini.model.packing import visible

ROUND = 32  # to a multiple of which numbers of tokens are rounded up
NARROW = 32  # heads of fewer columns: the fused kernel's blocks are made for wider ones


class Grid(NamedTuple):
    """Where loose tokens sit when they meet in rows.

    `numbers` (B, S) is each seat's sequence, 0 = nobody's; `seats` (T,) are the tokens' places among the B * S seats,
    or None where every seat is taken in order.
    """

    numbers: Tensor
    seats: Tensor | None

    def seat(self, tokens: Tensor) -> Tensor:
        """Seat tokens: (T, E) to (B, S, E), zeros where nobody sits."""
        if self.seats is not None:
            tokens = tokens.new_zeros(self.numbers.numel(), tokens.shape[-1]).index_copy(0, self.seats, tokens)
        return tokens.view(*self.numbers.shape, tokens.shape[-1])

    def unseat(self, rows: Tensor) -> Tensor:
        """Take the tokens back: (B, S, ...) to (T, ...)."""
        flat = rows.flatten(0, 1)
        return flat if self.seats is None else flat.index_select(0, self.seats)


class Seated:
    """Loose tokens meet: those that ask, (N, E), sit in one grid, those that answer, (T, E), in another."""

    def __init__(self, asking: Grid, answering: Grid) -> None:
        """Find out once, for all layers, who sees whom."""
        self.asking, self.answering = asking, answering
        self.allowed = visible(asking.numbers, answering.numbers)
        # Where a query may read nothing, in a row of padding alone, the kernel gives zeros and the formula does not.
        self.all_read = bool(self.allowed.any(dim=-1).all())

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, *, heads: int, dropout: nn.Dropout) -> Attention:
        """Mix values by the fastest exact way on this device: (N, E), (T, E), (T, E) to (N, E), and no weights."""
        query, key, value = self.asking.seat(query), self.answering.seat(key), self.answering.seat(value)
        query, key, value = (split_heads(tensor, heads) for tensor in (query, key, value))
        drops = dropout.training and dropout.p > 0
        narrow = query.shape[-1] < NARROW and self.all_read
        if query.is_cpu and (drops or query.dtype == torch.bfloat16 or narrow):
            mixed = spelled_out(query, key, value, self.allowed, dropout)
        else:
            mixed = kernel_attention(query, key, value, self.allowed, dropout)
        return Attention(self.asking.unseat(join_heads(mixed)), None)


def spelled_out(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor, dropout: nn.Dropout) -> Tensor:
    """Compute the formula of `attention` with fewer passes over the scores: (B, H, S_q, D), ... to (B, H, S_q, D)."""
    with torch.autocast("cpu", enabled=False):
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)  # (B, H, S_q, S)
        barred = scores.new_zeros(allowed.shape).masked_fill_(~allowed, torch.finfo(scores.dtype).min)
        mixed: Tensor = dropout((scores + barred).softmax(dim=-1)) @ value
        return mixed


class Seating(NamedTuple):
    """A batch of loose tokens: their grid, how they meet, and how those that are read meet them in the last layer."""

    tokens: Grid
    together: Seated
    readers: Tensor
    """Which of the T tokens ask in the last layer, (N,) or a few more."""
    reading: Seated


def take_seats(mask: Tensor, places: Tensor) -> Seating:
    """Seat a batch whose states are read at `places` (N,) of the flattened (B, S) mask of sequence numbers."""
    # Rounded up where each new shape has its kernels compiled.
    multiple = ROUND if mask.is_cpu and torch.is_autocast_enabled("cpu") else 1
    spare = torch.arange(-len(places) % multiple, device=places.device) % len(mask)
    places = torch.cat([places, spare * mask.shape[1]])  # a few are read for nothing, one in each row by turns
    tokens = seat_tokens(mask, places, multiple)
    readers = places if tokens.seats is None else torch.searchsorted(tokens.seats, places)
    return Seating(tokens, Seated(tokens, tokens), readers, Seated(seat_readers(mask, places), tokens))


def seat_tokens(mask: Tensor, places: Tensor, multiple: int = 1) -> Grid:
    """Give a seat to every token, to every place that is read, should it be padding, and to fill up to `multiple`."""
    taken = (mask > 0).flatten().index_fill(0, places, True)
    if multiple > 1:
        spare = (~taken).nonzero().squeeze(1)[: -int(taken.sum()) % multiple]
        taken = taken.index_fill(0, spare, True)
    seats = taken.nonzero().squeeze(1)
    return Grid(mask, None if len(seats) == mask.numel() else seats)


def seat_readers(mask: Tensor, places: Tensor) -> Grid:
    """Seat the readers of each row side by side, in as few columns as the row with most of them needs."""
    row = places // mask.shape[1]
    count = row.bincount(minlength=len(mask))
    order = row.argsort(stable=True)
    rank = torch.empty_like(row)  # how many readers of the same row come before
    rank[order] = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row[order]]
    columns = int(count.max())
    seats = row * columns + rank
    numbers = mask.new_zeros(len(mask) * columns).index_copy(0, seats, mask.flatten()[places])
    return Grid(numbers.view(len(mask), columns), seats)
