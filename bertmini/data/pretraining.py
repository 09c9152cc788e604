"""An endless stream of pretraining batches, which can say where it is and go on from there.

Text is read chunk by chunk, so that memory stays constant whatever the corpus: a chunk becomes sentence pairs, the
pairs are shuffled, packed or put with others of their length, and masked. Everything random in a chunk comes from one
generator, seeded with the stream's seed and the chunk's number. The place of a batch is therefore three numbers:
where its chunk begins in the corpus, the chunk's number and the batch's number in it. That is all a checkpoint has to
keep.

Each pass over the text draws new pairs and new masks (*dynamic* masking, as Liu et al. 2019, section 4.1, recommend).
The first batches may be masked in another way: more scored words teach faster as long as there is much to learn.

Shapes: B batch, S sequence, D pairs in the batch (B unless packed). Taught in chapter 07.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, Self

import torch

from bertmini.data.batches import Batch, Row, pad, seeded
from bertmini.data.corpora.sources import Corpus, Position
from bertmini.data.corpora.text_files import Document
from bertmini.data.masking import Masking
from bertmini.data.pairs import Pair, sentence_pairs, single_segments
from bertmini.data.wordpiece import WordPieceTokenizer

CHUNK_CHARS = 2_000_000


class PairSource(Protocol):
    """Where pairs come from: text (`TextPairs`), or a world that makes them up."""

    def pairs(self, position: Position | None, generator: torch.Generator) -> tuple[list[Pair], Position | None]:
        """Read one chunk's pairs from `position` (None = the start) and say where the next begins (None = the end)."""
        ...


class TextPairs:
    """Sentence pairs from a corpus, half next, half random, or single texts; each of at most `max_length` tokens."""

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: WordPieceTokenizer,
        *,
        max_length: int,
        keep: Callable[[Document], bool] = bool,
        chunk_chars: int = CHUNK_CHARS,
        single: bool = False,
    ) -> None:
        """Read documents for which `keep` is true, about `chunk_chars` characters at a time."""
        self.corpus, self.tokenizer, self.max_length = corpus, tokenizer, max_length
        self.keep, self.chunk_chars = keep, chunk_chars
        self.cut = single_segments if single else sentence_pairs

    def pairs(self, position: Position | None, generator: torch.Generator) -> tuple[list[Pair], Position | None]:
        """Read one chunk; see `PairSource`."""
        documents, after = self.corpus.read(position, self.chunk_chars)
        documents = [document for document in documents if self.keep(document)]
        ids = iter(self.tokenizer.encode_ids([sentence for document in documents for sentence in document]))
        encoded = [[next(ids) for _ in document] for document in documents]
        return self.cut(encoded, self.max_length, generator=generator), after


class PretrainingStream:
    """Endless batches for `BertForPreTraining` or, of single texts, `BertForMaskedLM`, with an exact place in the data.

    Each batch holds `batch_size` pairs: input_ids, token_type_ids, attention_mask and labels (B, S), and for pairs
    next_sentence_label (D,). Packed, several short pairs share a row of `row_length` tokens and `attention_mask`
    numbers them; otherwise pairs of like length share a batch.
    """

    def __init__(
        self,
        source: PairSource,
        tokenizer: WordPieceTokenizer,
        masking: Masking,
        *,
        batch_size: int,
        row_length: int,
        packed: bool = True,
        seed: int = 0,
        early_masking: Masking | None = None,
        early_batches: int = 0,
    ) -> None:
        """Start at the first batch. The first `early_batches` are masked by `early_masking`.

        Raises `ValueError` for batches of nothing.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; a batch holds at least 1 pair")
        self.source, self.tokenizer, self.masking = source, tokenizer, masking
        self.batch_size, self.row_length, self.packed, self.seed = batch_size, row_length, packed, seed
        self.early_masking, self.early_batches = early_masking or masking, early_batches
        self.state: dict[str, Any]
        self.walk: Iterator[tuple[Batch, dict[str, Any]]]
        self.load_state_dict({"position": None, "chunk": 0, "batch": 0, "served": 0})

    def __iter__(self) -> Self:
        """Return itself: the stream is its own iterator."""
        return self

    def __next__(self) -> Batch:
        """Make the next batch. Raises `ValueError` if the whole source gives no pair."""
        batch, self.state = next(self.walk)
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Say where the stream is, in JSON's terms: how many batches of which chunk, beginning where, and in all."""
        return self.state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a place that `state_dict` named, in a stream made with the same arguments.

        Raises `ValueError` for what no stream of this version has named.
        """
        place = state.get("position")
        counts = [state.get(name) for name in ("chunk", "batch", "served")] + list(
            place if isinstance(place, list | tuple) else ()
        )
        if (
            set(state) != {"position", "chunk", "batch", "served"}
            or not (place is None or isinstance(place, list | tuple))
            or not all(type(count) is int and count >= 0 for count in counts)
        ):
            raise ValueError(
                f"{state} is no place in this stream, but perhaps of an earlier version: begin the run anew"
            )
        self.state = state
        self.walk = self._walk(**state)

    def _walk(
        self, position: Position | None, chunk: int, batch: int, served: int
    ) -> Iterator[tuple[Batch, dict[str, Any]]]:
        """Yield batches with the place behind each, passing over this chunk's first ones, which are used."""
        begun = served - batch  # batches of the chunks before
        ends = 0  # how often the source has ended since it last gave a pair
        while ends < 2:
            generator = seeded(self.seed, chunk)
            pairs, after = self.source.pairs(None if position is None else tuple(position), generator)
            number = 0
            for number, group in enumerate(self._groups(pairs, generator), start=1):
                made = self._batch(group, generator, early=begun + number <= self.early_batches)
                if number > batch:
                    yield made, {"position": position, "chunk": chunk, "batch": number, "served": begun + number}
            ends = 0 if pairs else ends + (after is None)
            position, chunk, batch, begun = after, chunk + 1, 0, begun + number
        raise ValueError("the corpus gives no sentence pairs to train on: it needs at least two sentences")

    def _groups(self, pairs: Sequence[Pair], generator: torch.Generator) -> list[list[Pair]]:
        """Shuffle pairs into full batches; a chunk of less than one batch gives one smaller batch.

        What would not fill a batch is left out, at random and so before any sorting.
        """
        whole = len(pairs) // self.batch_size * self.batch_size or len(pairs)
        shuffled = [pairs[i] for i in torch.randperm(len(pairs), generator=generator)[:whole].tolist()]
        if not self.packed:
            shuffled = sort_windows(shuffled, 64 * self.batch_size)
        groups = [shuffled[i : i + self.batch_size] for i in range(0, whole, self.batch_size)]
        return [groups[i] for i in torch.randperm(len(groups), generator=generator).tolist()]

    def _batch(self, pairs: Sequence[Pair], generator: torch.Generator, *, early: bool) -> Batch:
        rows = first_fit(pairs, self.row_length) if self.packed else [[pair] for pair in pairs]
        batch = lay_out(rows, self.tokenizer)
        masking = self.early_masking if early else self.masking
        input_ids, labels = masking(batch["input_ids"], generator=generator)
        return batch | {"input_ids": input_ids, "labels": labels}


def length(pair: Pair) -> int:
    """Count the tokens of [CLS] A [SEP] B [SEP], or of [CLS] A [SEP] where there is no second segment."""
    return len(pair.first) + len(pair.second) + (3 if pair.second else 2)


def sort_windows(pairs: Sequence[Pair], window: int) -> list[Pair]:
    """Sort by length within windows, so that a batch needs little padding and batches stay mixed."""
    return [pair for i in range(0, len(pairs), window) for pair in sorted(pairs[i : i + window], key=length)]


def first_fit(pairs: Iterable[Pair], row_length: int) -> list[list[Pair]]:
    """Put each pair, longest first, into the first row with room for it (Krell et al. 2021, section 3).

    Raises `ValueError` for a pair that is longer than a row.

    >>> [[length(p) for p in row] for row in first_fit([Pair([1], [1], 0), Pair([1] * 5, [1] * 3, 0)], 16)]
    [[11, 5]]
    """
    rows: list[list[Pair]] = []
    room: list[int] = []
    for pair in sorted(pairs, key=length, reverse=True):
        need = length(pair)
        if need > row_length:
            raise ValueError(f"a pair of {need} tokens does not fit row_length {row_length}; take longer rows")
        row = next((number for number, left in enumerate(room) if left >= need), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(row_length)
        rows[row].append(pair)
        room[row] -= need
    return rows


def lay_out(rows: Sequence[Sequence[Pair]], tokenizer: WordPieceTokenizer) -> Batch:
    """Write rows of pairs as [CLS] A [SEP] B [SEP] one after another, padded to the longest row; nothing masked yet.

    Where no pair has a second segment, there is no `next_sentence_label` either.
    """
    cls, sep = [tokenizer.cls_id], [tokenizer.sep_id]
    written: list[Row] = []
    for row in rows:
        ids: list[int] = []
        types: list[int] = []
        owners: list[int] = []
        for number, pair in enumerate(row, start=1):
            ids += cls + pair.first + sep + (pair.second + sep if pair.second else [])
            types += [0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1 if pair.second else 0)
            owners += [number] * length(pair)
        written.append({"input_ids": ids, "token_type_ids": types, "attention_mask": owners})
    batch = pad(written, tokenizer.pad_id)
    if any(pair.second for row in rows for pair in row):
        batch["next_sentence_label"] = torch.tensor([pair.next_sentence_label for row in rows for pair in row])
    return batch
