"""The same numbers, sooner: what a training step need not compute, and what the hardware likes better.

Reads the plain encoder's parameters and computes its states only at the places that a loss or a head reads. Without
dropout, the loss and every gradient equal the plain path's up to rounding. Each trick is one field of `Tricks`, to be
switched off by itself and measured:

- `tokens_only`: padding is cut out; matrices multiply tokens only, and attention alone sees them seated in rows;
- `last_layer_reads`: the last layer makes keys and values for every token, but queries and feed-forward only where
  read;
- `fused_qkv`: one product makes queries, keys and values;
- `spelled_out_attention`: on a CPU the formula beats the fused kernel in bf16, for narrow heads, and whenever there is
  dropout;
- `byte_dropout`: on a CPU one random byte decides an element, where PyTorch draws a double (rates rounded to 1/256);
- `round_counts`: on a CPU in bf16 numbers of tokens are rounded up, so that compiled kernels are met again and reused.

Shapes: B rows, S columns, T tokens that exist, N places that are read, H heads, D head size, E = H * D hidden.
Taught in chapter 15.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.model.packing import position_ids, visible

if TYPE_CHECKING:
    from bertmini.model.attention import MultiHeadAttention
    from bertmini.model.encoder import BertModel, EncoderLayer


ROUND = 32  # to a multiple of which numbers of tokens are rounded up
NARROW = 32  # heads of fewer columns: the fused kernel's blocks are made for wider ones


@dataclass(frozen=True, kw_only=True)
class Tricks:
    """Which tricks a model uses: assign `model.bert.tricks = Tricks(fused_qkv=False)` to measure one."""

    enabled: bool = True
    tokens_only: bool = True
    last_layer_reads: bool = True
    fused_qkv: bool = True
    spelled_out_attention: bool = True
    byte_dropout: bool = True
    round_counts: bool = True


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


def read_fast(bert: "BertModel", input_ids: Tensor, token_type_ids: Tensor, mask: Tensor, places: Tensor) -> Tensor:
    """Compute the last hidden states at `places` (N,) of the flattened (B, S) batch: to (N, E)."""
    tricks, wanted = bert.tricks, len(places)
    if round_up(mask, tricks):
        places = fill_up(places, mask)
    grid = seat_tokens(mask, places, tricks) if tricks.tokens_only else Grid(mask, None)
    hidden = bert.embeddings.embed(*(grid.unseat(ids) for ids in (input_ids, token_type_ids, position_ids(mask))))
    hidden = add(hidden.new_zeros(()), hidden, bert.embeddings.dropout, tricks)  # (T, E)
    read = places if grid.seats is None else torch.searchsorted(grid.seats, places)  # which of the T tokens are read
    *body, last = cast("list[EncoderLayer]", list(bert.layers))
    for layer in body:
        hidden = layer_fast(layer, hidden, grid, hidden, grid, tricks)
    if not tricks.last_layer_reads:
        return layer_fast(last, hidden, grid, hidden, grid, tricks).index_select(0, read[:wanted])
    return layer_fast(last, hidden.index_select(0, read), seat_readers(mask, places), hidden, grid, tricks)[:wanted]


def round_up(mask: Tensor, tricks: Tricks) -> bool:
    """Say whether shapes are to be rounded up: it pays where each new one has its kernels compiled."""
    return tricks.round_counts and mask.is_cpu and torch.is_autocast_enabled("cpu")


def fill_up(places: Tensor, mask: Tensor) -> Tensor:
    """Read a few places in vain, one in each row by turns, until their number is a multiple of `ROUND`."""
    spare = torch.arange(-len(places) % ROUND, device=places.device) % len(mask)
    return torch.cat([places, spare * mask.shape[1]])


def seat_tokens(mask: Tensor, places: Tensor, tricks: Tricks) -> Grid:
    """Give every token its seat, and every place that is read, should it be padding."""
    taken = (mask > 0).flatten().index_fill(0, places, True)
    if round_up(mask, tricks):
        spare = (~taken).nonzero().squeeze(1)[: -int(taken.sum()) % ROUND]
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


def layer_fast(
    layer: "EncoderLayer", asking: Tensor, asking_grid: Grid, tokens: Tensor, grid: Grid, tricks: Tricks
) -> Tensor:
    """Compute one layer for the tokens that ask, (N, E), each of which attends to its sequence's among (T, E)."""
    attention = layer.attention
    if asking is tokens:
        query, key, value = project(tokens, grid, tricks, attention.query, attention.key, attention.value)
    else:
        (query,) = project(asking, asking_grid, tricks, attention.query)
        key, value = project(tokens, grid, tricks, attention.key, attention.value)
    mixed = attend(attention, query, key, value, visible(asking_grid.numbers, grid.numbers), tricks)
    attended = attention.output(asking_grid.unseat(mixed))
    hidden = layer.attention_norm(add(asking, attended, layer.dropout, tricks))
    transformed = layer.output(layer.activation(layer.intermediate(hidden)))
    normalised: Tensor = layer.output_norm(add(hidden, transformed, layer.dropout, tricks))
    return normalised


def project(tokens: Tensor, grid: Grid, tricks: Tricks, *maps: nn.Linear) -> tuple[Tensor, ...]:
    """Apply several linear maps to the same tokens, as one product, and seat the results: (T, E) to (B, S, E) each."""
    if not tricks.fused_qkv:
        return tuple(grid.seat(linear(tokens)) for linear in maps)
    weight, bias = torch.cat([linear.weight for linear in maps]), torch.cat([linear.bias for linear in maps])
    return grid.seat(F.linear(tokens, weight, bias)).chunk(len(maps), dim=-1)


def attend(
    attention: "MultiHeadAttention", query: Tensor, key: Tensor, value: Tensor, allowed: Tensor, tricks: Tricks
) -> Tensor:
    """Attend by the fastest exact way on this device: (B, S_q, E), (B, S, E), (B, S, E) to (B, S_q, E)."""
    rate = attention.dropout if attention.training else 0.0
    query, key, value = attention.split(query), attention.split(key), attention.split(value)
    # Where a query may read nothing, in a row of padding alone, the kernel gives zeros and the formula does not.
    narrow = query.shape[-1] < NARROW and bool(allowed.any(dim=-1).all())
    if tricks.spelled_out_attention and query.is_cpu and (rate or query.dtype == torch.bfloat16 or narrow):
        with torch.autocast("cpu", enabled=False):
            scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)  # (B, H, S_q, S)
            barred = torch.finfo(scores.dtype).min
            scores = scores + scores.new_zeros(allowed.shape).masked_fill_(~allowed, barred)
            weights = scores.softmax(dim=-1)
            mixed: Tensor = (weights * keep(weights, rate, tricks) if rate else weights) @ value
    else:
        mixed = F.scaled_dot_product_attention(query, key, value, allowed, rate)
    return mixed.transpose(1, 2).flatten(2)


def add(residual: Tensor, update: Tensor, dropout: nn.Dropout, tricks: Tricks) -> Tensor:
    """Add what dropout leaves of an update."""
    if not (dropout.training and dropout.p):
        return residual + update
    return torch.addcmul(residual, update, keep(update, dropout.p, tricks))


def keep(like: Tensor, rate: float, tricks: Tricks) -> Tensor:
    """Draw dropout's factors in the shape of `like`: 0 with probability `rate`, else 1 / (1 - rate)."""
    if not (tricks.byte_dropout and like.is_cpu):
        return F.dropout(torch.ones_like(like), rate)
    words = torch.empty(like.numel() // 8 + 1, dtype=torch.int64).random_(-(2**63), None)  # eight bytes at a time
    threshold = min(round(256 * rate), 255)
    kept = words.view(torch.uint8)[: like.numel()].view(like.shape) >= threshold
    return kept.to(like.dtype).mul_(256 / (256 - threshold))
