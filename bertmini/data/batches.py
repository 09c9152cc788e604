"""Rows become batches: one layout, one order and one way to go on, whatever the task.

A *row* is one example as numbers: `input_ids`, perhaps `token_type_ids`, and its labels. What a task adds may be one
number (the class of a text, where an answer starts) or one number per token (a tag); a batch stacks the former and pads
the latter with `IGNORED`. So a task is a module that turns records into rows, and nothing else.

An *epoch* is one pass over the rows. Its order is drawn from one generator, seeded with the stream's seed and the
epoch's number, so the place of a batch is two numbers. Within a window of shuffled rows those of like length share a
batch, for little padding; then the batches are shuffled again. The last batch may be smaller: no row is left out.

Shapes: B batch, S sequence (the longest of its batch). Taught in chapter 08.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from bertmini.config import IGNORED

Batch = dict[str, Tensor]
Row = Mapping[str, float | list[int]]
"""One example: a list has one number per token, a number stands for the whole row."""

WINDOW = 32  # batches among which rows are sorted by length


def seeded(seed: int, number: int) -> torch.Generator:
    """A generator of its own for each pair of numbers: the stream's seed and the epoch's or chunk's number."""
    # A CPU generator looks at no more than 32 bits of its seed; a checksum puts both numbers into them.
    return torch.Generator().manual_seed(zlib.crc32(f"{seed} {number}".encode()))


def pad(rows: Sequence[Row], pad_id: int) -> Batch:
    """Stack rows, those shorter than the longest filled up: with `pad_id`, segment 0, mask 0, or label `IGNORED`.

    A list becomes (B, S), a number (B,). `attention_mask` is 1 for every token of a row that does not bring its own.
    Raises `ValueError` for rows with different keys, and for a list with more or fewer entries than `input_ids`.

    >>> batch = pad([{"input_ids": [2, 9, 3], "labels": [-100, 1, -100]}, {"input_ids": [2, 3], "labels": [0, 0]}], 0)
    >>> batch["input_ids"].tolist(), batch["labels"].tolist()
    ([[2, 9, 3], [2, 3, 0]], [[-100, 1, -100], [0, 0, -100]])
    """
    lengths = [row_length(row) for row in rows]
    longest = max(lengths)
    filling = {"input_ids": pad_id, "token_type_ids": 0, "attention_mask": 0}
    columns: dict[str, list[Any]] = {name: [] for name in rows[0]}
    for number, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        if row.keys() != columns.keys():
            raise ValueError(f"row {number} has {sorted(row)}, the first has {sorted(columns)}: expected the same keys")
        for name, value in row.items():
            if not isinstance(value, list):
                columns[name].append(value)
                continue
            if len(value) != length:
                raise ValueError(f"row {number} has {len(value)} {name} for {length} input_ids: expected one per token")
            columns[name].append(value + [filling.get(name, IGNORED)] * (longest - length))
    columns.setdefault("attention_mask", [[1] * n + [0] * (longest - n) for n in lengths])
    return {name: _tensor(name, values) for name, values in columns.items()}


def _tensor(name: str, values: list[Any]) -> Tensor:
    """Stack one column, through NumPy, which reads lists three times as fast."""
    kinds = {type(value) for value in values}
    if list in kinds and len(kinds) > 1:
        raise ValueError(f"{name} is one number in some rows and one per token in others: expected one kind")
    return torch.from_numpy(np.array(values, dtype=np.float32 if float in kinds else np.int64))


def row_length(row: Row) -> int:
    """How many tokens a row has. Raises `ValueError` for a row without `input_ids`."""
    ids = row.get("input_ids")
    if not isinstance(ids, list):
        raise ValueError(f"a row with {sorted(row)} has no list of input_ids: expected one id per token")
    return len(ids)


def batches_in_order(rows: Sequence[Row], *, pad_id: int, batch_size: int = 64) -> list[Batch]:
    """Lay all rows out once, in their order, so that predictions stand beside them; for errors see `pad`."""
    return [pad(rows[i : i + batch_size], pad_id) for i in range(0, len(rows), batch_size)]


class ExampleStream:
    """Endless batches of any task's rows, an epoch after the other, with an exact place in them; see `pad`."""

    def __init__(self, rows: Sequence[Row], *, pad_id: int, batch_size: int, seed: int = 0) -> None:
        """Start at the first batch. Raises `ValueError` for batches of nothing and for no rows."""
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; a batch holds at least 1 example")
        if not rows:
            raise ValueError("there are no examples to train on")
        self.rows, self.pad_id, self.batch_size, self.seed = rows, pad_id, batch_size, seed
        self.load_state_dict({"epoch": 0, "batch": 0})

    @property
    def batches_per_epoch(self) -> int:
        """How many batches one pass over the rows takes."""
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Self:
        """Return itself: the stream is its own iterator."""
        return self

    def __next__(self) -> Batch:
        """Make the next batch."""
        if self.batch == self.batches_per_epoch:
            self.load_state_dict({"epoch": self.epoch + 1, "batch": 0})
        group = self.groups[self.batch]
        self.batch += 1
        return pad([self.rows[i] for i in group], self.pad_id)

    def state_dict(self) -> dict[str, Any]:
        """Say where the stream is, in JSON's terms: the number of batches used of which epoch."""
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a place that `state_dict` named, in a stream made with the same arguments."""
        self.epoch, self.batch = int(state["epoch"]), int(state["batch"])
        self.groups = self._shuffle(self.epoch)

    def _shuffle(self, epoch: int) -> list[list[int]]:
        """Draw an epoch's batches, as places of rows."""
        generator = seeded(self.seed, epoch)
        order: list[int] = torch.randperm(len(self.rows), generator=generator).tolist()
        groups = []
        for start in range(0, len(order), WINDOW * self.batch_size):
            window = sorted(order[start : start + WINDOW * self.batch_size], key=lambda i: row_length(self.rows[i]))
            groups += [window[i : i + self.batch_size] for i in range(0, len(window), self.batch_size)]
        return [groups[i] for i in torch.randperm(len(groups), generator=generator).tolist()]
