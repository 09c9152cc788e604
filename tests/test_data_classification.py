"""Batches of labelled texts: what is in them, which examples, in which order, and going on from a place."""

import hashlib
import json
from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmini.data.batches import Batch, ExampleStream, batches_in_order
from bertmini.data.classification import classification_rows
from bertmini.data.tables import LabelledText
from bertmini.data.wordpiece import WordPieceTokenizer

WORDS = [f"w{i}" for i in range(40)]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
LABELS = ("no", "perhaps", "yes")


def some_examples(count: int) -> list[LabelledText]:
    """Texts of 1 to 9 words; the first word tells them apart, the length tells the label."""
    return [LabelledText(" ".join([WORDS[i % 40]] * (1 + 7 * i % 9)), None, LABELS[7 * i % 3]) for i in range(count)]


def stream_of(examples: list[LabelledText], *, batch_size: int = 4, **more: Any) -> ExampleStream:
    rows = classification_rows(examples, TOKENIZER, LABELS, max_length=16)
    return ExampleStream(rows, pad_id=TOKENIZER.pad_id, batch_size=batch_size, **more)


def in_order(examples: list[LabelledText], *, batch_size: int = 64, max_length: int = 16) -> list[Batch]:
    rows = classification_rows(examples, TOKENIZER, LABELS, max_length=max_length)
    return batches_in_order(rows, pad_id=TOKENIZER.pad_id, batch_size=batch_size)


def test_a_batch_by_hand() -> None:
    examples = [LabelledText("w1 w2", "w3", "yes"), LabelledText("w4", "w5 w6 w7", "no")]
    (batch,) = in_order(examples)
    cls, sep, pad = TOKENIZER.cls_id, TOKENIZER.sep_id, TOKENIZER.pad_id
    w = TOKENIZER.vocab
    assert batch["input_ids"].tolist() == [
        [cls, w["w1"], w["w2"], sep, w["w3"], sep, pad],
        [cls, w["w4"], sep, w["w5"], w["w6"], w["w7"], sep],
    ]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1, 1, 0], [1] * 7]
    assert batch["labels"].tolist() == [2, 0]
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def test_evaluation_keeps_the_order_and_everything() -> None:
    examples = some_examples(11)
    batches = in_order(examples, batch_size=4)
    assert [len(batch["labels"]) for batch in batches] == [4, 4, 3]
    read = [ids[1] for batch in batches for ids in batch["input_ids"].tolist()]
    assert read == [TOKENIZER.vocab[example.text.split()[0]] for example in examples]
    assert [LABELS[i] for batch in batches for i in batch["labels"].tolist()] == [example.label for example in examples]


@settings(max_examples=25)
@given(count=st.integers(1, 37), batch_size=st.integers(1, 8), seed=st.integers(0, 3))
def test_an_epoch_has_every_example_once(count: int, batch_size: int, seed: int) -> None:
    stream = stream_of(some_examples(count), batch_size=batch_size, seed=seed)
    assert stream.batches_per_epoch == -(-count // batch_size)
    seen: Counter[int] = Counter()
    for _ in range(stream.batches_per_epoch):
        batch = next(stream)
        assert len(batch["labels"]) <= batch_size
        seen.update(batch["input_ids"][:, 1].tolist())
    assert seen == Counter(5 + i for i in range(count))


def flat(stream: ExampleStream, batches: int) -> list[list[list[int]]]:
    return [next(stream)["input_ids"].tolist() for _ in range(batches)]


def test_epochs_and_seeds_differ_and_repeat() -> None:
    examples = some_examples(23)
    first, second = flat(stream := stream_of(examples), 6), flat(stream, 6)
    assert first != second
    assert first == flat(stream_of(examples), 6)
    assert first != flat(stream_of(examples, seed=1), 6)


@pytest.mark.parametrize("done", [0, 1, 5, 6, 7, 13])
def test_going_on_from_a_place(done: int) -> None:
    examples = some_examples(23)
    stream = stream_of(examples)
    flat(stream, done)
    place = json.loads(json.dumps(stream.state_dict()))
    other = stream_of(examples)
    other.load_state_dict(place)
    assert flat(other, 9) == flat(stream, 9)


def test_like_lengths_share_a_batch() -> None:
    examples = some_examples(40)
    stream = stream_of(examples, batch_size=5)
    tokens = cells = 0
    for batch in (next(stream) for _ in range(stream.batches_per_epoch)):
        tokens += int(batch["attention_mask"].sum())
        cells += batch["attention_mask"].numel()
    assert tokens == sum(len(example.text.split()) + 2 for example in examples)
    assert tokens / cells > 0.9  # in the order of the file it is 0.64


def test_long_texts_are_cut_the_longer_of_a_pair_first() -> None:
    pair = LabelledText(" ".join(WORDS[:9]), " ".join(WORDS[10:13]), "no")
    (batch,) = in_order([pair], max_length=10)
    assert batch["input_ids"].shape == (1, 10)
    assert batch["token_type_ids"].tolist() == [[0] * 6 + [1] * 4]


def test_mistakes_are_named() -> None:
    examples = some_examples(3)
    with pytest.raises(ValueError, match="batch_size is 0"):
        stream_of(examples, batch_size=0)
    with pytest.raises(ValueError, match="no examples to train on"):
        stream_of([])
    with pytest.raises(ValueError, match=r"label 'maybe' \(of 'w1 w2'\) is none of 'no', 'perhaps', 'yes'"):
        stream_of([LabelledText("w1 w2", None, "maybe")])
    with pytest.raises(ValueError, match="some are pairs"):
        stream_of([*examples, LabelledText("w1", "w2", "no")])


def test_the_order_and_the_numbers_are_those_of_the_stream_for_classification_alone() -> None:
    """What was stored when fine-tuning had a stream of its own: over two epochs, which rows, and every number."""
    stream = stream_of(some_examples(37), batch_size=5, seed=3)
    batches = [next(stream) for _ in range(20)]
    assert [batch["input_ids"][:, 1].tolist() for batch in batches[:4]] == [
        [8, 17, 30, 21, 12],
        [24, 15, 33, 28, 10],
        [19, 37],
        [31, 40, 22, 26, 35],
    ]
    digest = hashlib.sha256()
    for batch in batches:
        digest.update(json.dumps({name: batch[name].tolist() for name in sorted(batch)}).encode())
    assert digest.hexdigest() == "04e72df2b75a76b52aadf0cad3c6defe2f0dd2569137bf014ddfedf1e34f642f"
    assert stream.state_dict() == {"epoch": 2, "batch": 4}
