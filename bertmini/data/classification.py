"""Labelled texts become batches: number the labels, shuffle every epoch, keep like lengths together.

An *epoch* is one pass over the examples. Its order is drawn from one generator, seeded with the stream's seed and the
epoch's number, so that the place of a batch is two numbers. Within a window of shuffled examples those of like length
share a batch, for little padding; then the batches are shuffled again. The last batch may be smaller: no example is
left out.

Shapes: B batch, S sequence (the longest of its batch). Taught in chapter 08.
"""

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import torch

from bertmini.data.pretraining import Batch
from bertmini.data.tables import LabelledText
from bertmini.data.wordpiece import WordPieceTokenizer

WINDOW = 32  # batches among which examples are sorted by length
ENCODED_AT_ONCE = 1_000


class Row(NamedTuple):
    """An example as numbers: its ids, how many of them are of the first segment, and the number of its class."""

    ids: list[int]
    first: int
    label: int


def encode_rows(
    examples: Sequence[LabelledText], tokenizer: WordPieceTokenizer, labels: Sequence[str], max_length: int
) -> list[Row]:
    """Turn examples into numbers, each of at most `max_length` tokens, the longer text of a pair cut first.

    Raises `ValueError` for an example whose label is none of `labels`, and for a mixture of texts and pairs.
    """
    number = {label: i for i, label in enumerate(labels)}
    for text, _, label in examples:
        if label not in number:
            start = text if len(text) <= 40 else f"{text[:37]}..."
            raise ValueError(f"label {label!r} (of {start!r}) is none of {', '.join(map(repr, labels))}")
    if len({pair is None for _, pair, _ in examples}) > 1:
        raise ValueError("some examples are single texts and some are pairs: expected one kind")
    rows = []
    for i in range(0, len(examples), ENCODED_AT_ONCE):
        part = examples[i : i + ENCODED_AT_ONCE]
        pairs = [(text, pair) for text, pair, _ in part if pair is not None]
        encoded = tokenizer.encode_batch(pairs or [text for text, _, _ in part], max_length=max_length)
        rows += [
            Row(encoding.ids, encoding.type_ids.count(0), number[label])
            for encoding, (_, _, label) in zip(encoded, part, strict=True)
        ]
    return rows


class FinetuningStream:
    """Endless batches for `BertForSequenceClassification`, an epoch after the other, with an exact place in them.

    Each batch holds input_ids, token_type_ids and attention_mask (B, S) and labels (B,), the numbers of the classes.
    """

    def __init__(
        self,
        examples: Sequence[LabelledText],
        tokenizer: WordPieceTokenizer,
        labels: Sequence[str],
        *,
        batch_size: int,
        max_length: int,
        seed: int = 0,
    ) -> None:
        """Encode all examples and start at the first batch; for errors see `encode_rows`."""
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; a batch holds at least 1 example")
        if not examples:
            raise ValueError("there are no examples to train on")
        self.rows = encode_rows(examples, tokenizer, labels, max_length)
        self.pad_id, self.batch_size, self.seed = tokenizer.pad_id, batch_size, seed
        self.load_state_dict({"epoch": 0, "batch": 0})

    @property
    def batches_per_epoch(self) -> int:
        """How many batches one pass over the examples takes."""
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
        return lay_out_rows([self.rows[i] for i in group], self.pad_id)

    def state_dict(self) -> dict[str, Any]:
        """Say where the stream is, in JSON's terms: the number of batches used of which epoch."""
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a place that `state_dict` named, in a stream made with the same arguments."""
        self.epoch, self.batch = int(state["epoch"]), int(state["batch"])
        self.groups = self._shuffle(self.epoch)

    def _shuffle(self, epoch: int) -> list[list[int]]:
        """Draw an epoch's batches, as places of rows."""
        # A CPU generator looks at no more than 32 bits of its seed; a checksum puts both numbers into them.
        generator = torch.Generator().manual_seed(zlib.crc32(f"{self.seed} {epoch}".encode()))
        order: list[int] = torch.randperm(len(self.rows), generator=generator).tolist()
        groups = []
        for start in range(0, len(order), WINDOW * self.batch_size):
            window = sorted(order[start : start + WINDOW * self.batch_size], key=lambda i: len(self.rows[i].ids))
            groups += [window[i : i + self.batch_size] for i in range(0, len(window), self.batch_size)]
        return [groups[i] for i in torch.randperm(len(groups), generator=generator).tolist()]


def evaluation_batches(
    examples: Sequence[LabelledText],
    tokenizer: WordPieceTokenizer,
    labels: Sequence[str],
    *,
    batch_size: int = 64,
    max_length: int,
) -> list[Batch]:
    """Lay all examples out once, in their order, so that predictions stand beside them; see `FinetuningStream`."""
    rows = encode_rows(examples, tokenizer, labels, max_length)
    return [lay_out_rows(rows[i : i + batch_size], tokenizer.pad_id) for i in range(0, len(rows), batch_size)]


def lay_out_rows(rows: Sequence[Row], pad_id: int) -> Batch:
    """Pad rows to the longest and stack them."""
    longest = max(len(row.ids) for row in rows)
    return {
        "input_ids": torch.tensor([row.ids + [pad_id] * (longest - len(row.ids)) for row in rows]),
        "token_type_ids": torch.tensor(
            [[0] * row.first + [1] * (len(row.ids) - row.first) + [0] * (longest - len(row.ids)) for row in rows]
        ),
        "attention_mask": torch.tensor([[1] * len(row.ids) + [0] * (longest - len(row.ids)) for row in rows]),
        "labels": torch.tensor([row.label for row in rows]),
    }
