import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import CONFIG

from bertmini.config import IGNORED
from bertmini.data.batches import Batch
from bertmini.data.corpora.sources import ListCorpus, Position
from bertmini.data.corpora.text_files import Document
from bertmini.data.masking import Masking
from bertmini.data.pairs import IS_NEXT, NOT_NEXT, Pair
from bertmini.data.pretraining import PretrainingStream, TextPairs, first_fit, lay_out, length, sort_windows
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.model.pretraining import BertForPreTraining

PIECES = ["[MASK]", "[UNK]", "[CLS]", "[SEP]", "[PAD]", *(f"w{n}" for n in range(70)), *(f"##{n}" for n in range(24))]
TOKENIZER = WordPieceTokenizer.from_vocab(PIECES)  # the special tokens not where we put them
FIRST = 5
MASKING = Masking(PIECES)
KEYS = {"input_ids", "token_type_ids", "attention_mask", "labels", "next_sentence_label"}


def some_documents(count: int = 13, sentences: int = 6) -> list[Document]:
    """Sentences of three to seven words."""
    return [
        [" ".join(f"w{(d * 17 + s * 5 + w) % 70}" for w in range(3 + (d + s) % 5)) for s in range(sentences)]
        for d in range(count)
    ]


class Counted:
    """Pairs of known ids, so many a chunk; counts what is asked of it."""

    def __init__(self, *chunks: int, lengths: tuple[int, ...] = (2, 5, 3)) -> None:
        numbers = iter(range(10_000))
        self.chunks = [
            [
                Pair([FIRST + next(numbers) % 90] * lengths[n % len(lengths)], [FIRST + n % 80], n % 2)
                for n in range(size)
            ]
            for size in chunks
        ]
        self.asked: list[Position | None] = []

    def pairs(self, position: Position | None, generator: torch.Generator) -> tuple[list[Pair], Position | None]:
        assert position is None or isinstance(position, tuple)
        self.asked.append(position)
        number = position[0] if position else 0
        return self.chunks[number], (number + 1,) if number + 1 < len(self.chunks) else None


def text_stream(*, packed: bool = True, batch_size: int = 3, seed: int = 0, **more: Any) -> PretrainingStream:
    """Make a stream of a small text that is read in several chunks."""
    source = TextPairs(ListCorpus(some_documents()), TOKENIZER, max_length=24, chunk_chars=300, **more)
    return PretrainingStream(source, TOKENIZER, MASKING, batch_size=batch_size, row_length=48, packed=packed, seed=seed)


def stream_of(source: Counted, *, batch_size: int = 3, packed: bool = True, seed: int = 0) -> PretrainingStream:
    return PretrainingStream(source, TOKENIZER, MASKING, batch_size=batch_size, row_length=20, packed=packed, seed=seed)


def originals(batch: Batch) -> torch.Tensor:
    """Undo the masking."""
    return torch.where(batch["labels"] == IGNORED, batch["input_ids"], batch["labels"])


def pairs_in(batch: Batch) -> list[Pair]:
    """Read a batch back into pairs."""
    pairs, labels = [], iter(batch["next_sentence_label"].tolist())
    for ids, types, mask in zip(originals(batch), batch["token_type_ids"], batch["attention_mask"], strict=True):
        for number in range(1, int(mask.max()) + 1):
            first, second = (ids[(mask == number) & (types == kind)].tolist() for kind in (0, 1))
            assert (first[0], first[-1], second[-1]) == (TOKENIZER.cls_id, TOKENIZER.sep_id, TOKENIZER.sep_id)
            pairs.append(Pair(first[1:-1], second[:-1], next(labels)))
    assert next(labels, None) is None
    return pairs


def assert_same_batches(ours: Sequence[Batch], theirs: Sequence[Batch]) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys() == KEYS
        assert all(one[key].equal(other[key]) for key in KEYS)


def bag(pairs: Sequence[Pair]) -> Counter[str]:
    return Counter(map(repr, pairs))


# ---- laying out ----


def test_lay_out_by_hand() -> None:
    cls, sep, pad = TOKENIZER.cls_id, TOKENIZER.sep_id, TOKENIZER.pad_id
    rows = [[Pair([7, 8], [9], IS_NEXT), Pair([10], [11, 12], NOT_NEXT)], [Pair([13], [14], NOT_NEXT)]]
    batch = lay_out(rows, TOKENIZER)
    assert batch["input_ids"].tolist() == [
        [cls, 7, 8, sep, 9, sep, cls, 10, sep, 11, 12, sep],
        [cls, 13, sep, 14, sep, pad, pad, pad, pad, pad, pad, pad],
    ]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1] + [0] * 7]
    assert batch["attention_mask"].tolist() == [[1] * 6 + [2] * 6, [1] * 5 + [0] * 7]
    assert batch["next_sentence_label"].tolist() == [0, 1, 1]
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def pair_of(total: int) -> Pair:
    """Make a pair of so many tokens, special ones counted; by its ids it would come in another order."""
    return Pair([90 - total] * (total - 4), [8], IS_NEXT)


@given(totals=st.lists(st.integers(5, 20), max_size=12), more=st.integers(0, 15))
def test_first_fit(totals: list[int], more: int) -> None:
    capacity = max(totals, default=5) + more
    rows = first_fit([pair_of(total) for total in totals], capacity)
    lengths = [[length(pair) for pair in row] for row in rows]
    assert sorted(total for row in lengths for total in row) == sorted(totals)
    for number, row in enumerate(lengths):
        assert sum(row) <= capacity
        assert row == sorted(row, reverse=True)
        for total in row:
            # No earlier row had room for it when its turn came, after all longer ones.
            for earlier in lengths[:number]:
                assert sum(other for other in earlier if other >= total) + total > capacity


def test_a_pair_longer_than_a_row_is_refused() -> None:
    assert [[length(p) for p in row] for row in first_fit([pair_of(9)], 9)] == [[9]]
    with pytest.raises(ValueError, match="a pair of 9 tokens does not fit row_length 8; take longer rows"):
        first_fit([pair_of(9)], 8)


@given(totals=st.lists(st.integers(5, 20), max_size=30), window=st.integers(1, 9))
def test_sorting_stays_within_windows(totals: list[int], window: int) -> None:
    found = [length(pair) for pair in sort_windows([pair_of(total) for total in totals], window)]
    assert found == [t for i in range(0, len(totals), window) for t in sorted(totals[i : i + window])]


# ---- batches ----


@pytest.mark.parametrize("packed", [True, False])
def test_batches_are_what_the_model_reads(packed: bool) -> None:
    model = BertForPreTraining(replace(CONFIG, max_position_embeddings=24)).eval()
    for batch in islice(text_stream(packed=packed), 20):
        assert batch.keys() == KEYS
        assert len(batch["next_sentence_label"]) in (2, 3)  # two: the text's last chunk is no full batch
        shape = batch["input_ids"].shape
        assert all(batch[key].shape == shape for key in KEYS - {"next_sentence_label"})
        assert shape[1] <= (48 if packed else 24)
        assert packed or len(batch["input_ids"]) == len(batch["next_sentence_label"])
        assert bool(batch["attention_mask"].any(dim=0).all())  # no column of padding alone
        padding = batch["attention_mask"] == 0
        assert batch["input_ids"][padding].tolist() == [TOKENIZER.pad_id] * int(padding.sum())
        assert batch["token_type_ids"][padding].count_nonzero() == 0
        assert bool((batch["labels"][padding] == IGNORED).all())
        output = model(**batch)
        assert output.loss.item() == pytest.approx(4.6 + 0.7, abs=0.6) or not (batch["labels"] != IGNORED).any()


def test_packed_batches_have_fewer_rows_and_less_padding() -> None:
    share = {}
    for packed in (True, False):
        masks = [batch["attention_mask"] for batch in islice(text_stream(packed=packed, batch_size=9), 12)]
        share[packed] = sum(int((m > 0).sum()) for m in masks) / sum(m.numel() for m in masks)
        assert (max(int(m.max()) for m in masks) > 1) == packed
    assert share[True] > 0.8


def test_buckets_need_little_padding() -> None:
    # 96 pairs of 3 lengths: sorted, at most 2 of the batches of 8 mix lengths; shuffled, nearly all would.
    stream = stream_of(Counted(96, lengths=(1, 6, 11)), batch_size=8, packed=False)
    mixed = sum(len(set(map(length, pairs_in(batch)))) > 1 for batch in islice(stream, 12))
    assert mixed <= 2


def test_what_a_bucket_has_too_many_is_left_out_at_random() -> None:
    # 10 pairs of two lengths in batches of 4: two are left out, and not always the longest.
    stream = stream_of(Counted(10, lengths=(1, 9)), batch_size=4, packed=False)
    kept = [sum(len(pair.first) == 9 for batch in islice(stream, 2) for pair in pairs_in(batch)) for _ in range(30)]
    assert set(kept) == {3, 4, 5}


@pytest.mark.parametrize("packed", [True, False])
def test_every_pair_of_a_chunk_is_used_once_and_in_another_order_each_time(packed: bool) -> None:
    source = Counted(12, 6)
    stream = stream_of(source, packed=packed)
    orders = []
    for _ in range(3):
        for chunk in source.chunks:
            found = [pair for batch in islice(stream, len(chunk) // 3) for pair in pairs_in(batch)]
            assert bag(found) == bag(chunk)
            orders.append([repr(pair) for pair in found])
    assert len({tuple(order) for order in orders}) == 6


def test_a_chunk_smaller_than_a_batch_gives_a_smaller_one() -> None:
    stream = stream_of(Counted(2, 7))
    assert [len(batch["next_sentence_label"]) for batch in islice(stream, 6)] == [2, 3, 3, 2, 3, 3]


def test_masks_are_drawn_anew_in_every_pass() -> None:
    source = Counted(3)
    passes = list(islice(stream_of(source, packed=False), 40))
    masked = {
        tuple(sorted((int(row), int(place)) for row, place in (batch["labels"] != IGNORED).nonzero().tolist()))
        for batch in passes
    }
    assert len(masked) > 10
    assert {tuple(sorted(bag(pairs_in(batch)).items())) for batch in passes} == {
        tuple(sorted(bag(source.chunks[0]).items()))
    }


def test_seeds_give_different_streams_and_the_same_one_the_same() -> None:
    one, again, other = (list(islice(text_stream(seed=seed), 15)) for seed in (3, 3, 4))
    assert_same_batches(one, again)
    # PyTorch's generator reads 32 bits of a seed; the stream's seed must be among them, and so must large ones.
    far = list(islice(text_stream(seed=3 + 2**32), 15))
    for another in (other, far):
        assert not any(a["input_ids"].equal(b["input_ids"]) for a, b in zip(one, another, strict=True))


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    list(islice(text_stream(), 15))
    assert torch.get_rng_state().equal(before)


# ---- the place in the data ----


@given(stop=st.integers(0, 60), packed=st.booleans(), batch_size=st.integers(1, 7))
@settings(max_examples=30)
def test_a_stream_goes_on_from_anywhere(stop: int, packed: bool, batch_size: int) -> None:
    stream = text_stream(packed=packed, batch_size=batch_size)
    used = list(islice(stream, stop))
    assert len(used) == stop
    state = json.loads(json.dumps(stream.state_dict()))
    rest = list(islice(stream, 9))
    fresh = text_stream(packed=packed, batch_size=batch_size)
    fresh.load_state_dict(state)
    assert fresh.state_dict() == state
    assert_same_batches(list(islice(fresh, 9)), rest)
    stream.load_state_dict(state)  # also in the stream itself, back to where it was
    assert_same_batches(list(islice(stream, 9)), rest)
    assert json.loads(json.dumps(fresh.state_dict())) == json.loads(json.dumps(stream.state_dict()))


def test_the_state_counts_chunks_and_batches() -> None:
    source = Counted(6, 3)
    stream = stream_of(source)
    states = [stream.state_dict()]
    for _ in range(4):
        next(stream)
        states.append(stream.state_dict())
    assert states == [
        {"position": None, "chunk": 0, "batch": 0, "served": 0},
        {"position": None, "chunk": 0, "batch": 1, "served": 1},
        {"position": None, "chunk": 0, "batch": 2, "served": 2},
        {"position": (1,), "chunk": 1, "batch": 1, "served": 3},
        {"position": None, "chunk": 2, "batch": 1, "served": 4},
    ]
    resumed = stream_of(Counted(6, 3))
    resumed.load_state_dict(json.loads(json.dumps(states[3])))
    assert_same_batches([next(resumed)], [next(iter(stream_after(stream_of(Counted(6, 3)), 3)))])


@pytest.mark.parametrize("resumed", [False, True])
def test_the_first_batches_are_masked_in_their_own_way(resumed: bool) -> None:
    def make() -> PretrainingStream:
        early = Masking(TOKENIZER.pieces, rate=1.0, mask_share=0.0, random_share=0.0)
        return PretrainingStream(
            Counted(6, 3), TOKENIZER, MASKING, batch_size=3, row_length=20, early_masking=early, early_batches=3
        )

    stream = make()
    batches = [next(stream) for _ in range(2)]
    if resumed:
        state, stream = stream.state_dict(), make()
        stream.load_state_dict(json.loads(json.dumps(state)))
    batches += [next(stream) for _ in range(3)]
    special = torch.tensor(sorted(TOKENIZER.special_ids))
    everything = [bool(((b["labels"] == IGNORED) == torch.isin(originals(b), special)).all()) for b in batches]
    assert everything == [True, True, True, False, False]  # two batches of the first chunk, one of the second
    assert torch.equal(batches[0]["input_ids"], originals(batches[0]))  # nothing hidden, all scored


def stream_after(stream: PretrainingStream, batches: int) -> PretrainingStream:
    for _ in range(batches):
        next(stream)
    return stream


def test_a_state_does_not_change_while_the_stream_goes_on() -> None:
    stream = text_stream()
    next(stream)
    state = stream.state_dict()
    kept = dict(state)
    list(islice(stream, 20))
    assert state == kept


# ---- the corpus ----


class Endless:
    """A corpus as large as you like: counts what is read, and how much at once."""

    name = "endless"

    def __init__(self) -> None:
        self.reads: list[tuple[int, int]] = []

    def read(self, position: Position | None, max_chars: int) -> tuple[list[Document], Position | None]:
        start = position[0] if position else 0
        self.reads.append((start, max_chars))
        return [[f"w{(start + n) % 70} w1 w2.", "w3 w4 w5.", "w6 w7."] for n in range(5)], (start + 5,)


def test_text_is_read_chunk_by_chunk() -> None:
    corpus = Endless()
    source = TextPairs(corpus, TOKENIZER, max_length=24, chunk_chars=77)
    stream = PretrainingStream(source, TOKENIZER, MASKING, batch_size=3, row_length=48)
    assert corpus.reads == []
    for _ in range(30):
        next(stream)
        chunk = stream.state_dict()["chunk"]
        assert corpus.reads == [(5 * n, 77) for n in range(chunk + 1)]  # nothing ahead of its turn, nothing twice
    assert len(corpus.reads) > 5


def test_text_becomes_pairs_of_its_own_sentences() -> None:
    documents = some_documents()
    source = TextPairs(ListCorpus(documents), TOKENIZER, max_length=90, chunk_chars=10**9)
    pairs, after = source.pairs(None, torch.Generator().manual_seed(0))
    assert after is None
    texts = [" ".join(document) for document in documents]
    for pair in pairs:
        first, second = TOKENIZER.decode(pair.first), TOKENIZER.decode(pair.second)
        together = any(f"{first} {second}" in text for text in texts)
        assert together == (pair.next_sentence_label == IS_NEXT)
    assert {pair.next_sentence_label for pair in pairs} == {IS_NEXT, NOT_NEXT}


def test_only_documents_to_keep_are_read() -> None:
    documents = some_documents()

    def keep(document: Document) -> bool:
        return document == documents[4]

    source = TextPairs(ListCorpus(documents), TOKENIZER, max_length=90, keep=keep)
    pairs, _ = source.pairs(None, torch.Generator().manual_seed(0))
    text = " ".join(documents[4])
    assert pairs
    assert all(TOKENIZER.decode(half) in text for pair in pairs for half in (pair.first, pair.second))


def test_empty_chunks_are_passed_over() -> None:
    source = Counted(0, 3, 0, 0, 3, 0)
    assert [len(batch["next_sentence_label"]) for batch in islice(stream_of(source), 7)] == [3] * 7
    assert source.asked[:7] == [None, (1,), (2,), (3,), (4,), (5,), None]


def test_empty_chunks_serve_no_batch() -> None:
    stream = stream_of(Counted(0, 3))
    next(stream)
    assert stream.state_dict()["served"] == 1


def test_by_default_rows_are_packed_the_seed_is_0_and_no_batch_is_early() -> None:
    early = Masking(TOKENIZER.pieces, rate=1.0)
    default = PretrainingStream(Counted(6), TOKENIZER, MASKING, batch_size=3, row_length=20, early_masking=early)
    assert_same_batches([next(default)], [next(stream_of(Counted(6), packed=True, seed=0))])


@pytest.mark.parametrize("chunks", [(0,), (0, 0, 0)])
def test_a_corpus_without_a_pair_is_refused(chunks: tuple[int, ...]) -> None:
    source = Counted(*chunks)
    with pytest.raises(ValueError, match="gives no sentence pairs to train on: it needs at least two sentences"):
        next(stream_of(source))
    assert len(source.asked) <= 2 * len(chunks)
    with pytest.raises(ValueError, match="no sentence pairs"):
        next(text_stream(keep=lambda document: False))


def test_a_late_start_in_an_empty_end_is_no_empty_corpus() -> None:
    stream = stream_of(Counted(3, 0, 0))
    stream.load_state_dict({"position": [1], "chunk": 1, "batch": 0, "served": 1})
    assert len(next(stream)["next_sentence_label"]) == 3


def test_a_place_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'chunk': 2, 'batch': 1} is no place in this stream"):
        text_stream().load_state_dict({"position": None, "chunk": 2, "batch": 1})


def test_a_stream_is_its_own_iterator() -> None:
    stream = text_stream()
    assert iter(stream) is stream


def test_batches_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="batch_size is 0; a batch holds at least 1 pair"):
        text_stream(batch_size=0)


def test_single_texts_have_one_segment_and_no_label() -> None:
    rows = [[Pair([FIRST, FIRST + 1], [], IS_NEXT), Pair([FIRST + 2], [], IS_NEXT)], [Pair([FIRST + 3], [], IS_NEXT)]]
    batch = lay_out(rows, TOKENIZER)
    cls, sep, pad = TOKENIZER.cls_id, TOKENIZER.sep_id, TOKENIZER.pad_id
    assert batch["input_ids"].tolist() == [
        [cls, FIRST, FIRST + 1, sep, cls, FIRST + 2, sep],
        [cls, FIRST + 3, sep, pad, pad, pad, pad],
    ]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 2, 2, 2], [1, 1, 1, 0, 0, 0, 0]]
    assert int(batch["token_type_ids"].sum()) == 0
    assert "next_sentence_label" not in batch
    source = TextPairs(ListCorpus(some_documents()), TOKENIZER, max_length=19, single=True)
    batch = next(PretrainingStream(source, TOKENIZER, MASKING, batch_size=5, row_length=19))
    assert batch.keys() == KEYS - {"next_sentence_label"}
    assert int((batch["input_ids"] == sep).sum()) == int((batch["input_ids"] == cls).sum()) == 5
