"""Rows of any task become batches: what is padded with what, seeds, and mistakes."""

import pytest
import torch

from bertmini import BertConfig, BertForQuestionAnswering, BertForTokenClassification
from bertmini.data.batches import ExampleStream, Row, batches_in_order, pad, seeded

PAD_ID = 11  # not 0, so that a padded id and a padded segment differ


def tag_row(first: int, length: int) -> Row:
    """`length` tokens; [CLS] and [SEP] have no tag."""
    middle = range(first, first + length - 2)
    return {"input_ids": [2, *middle, 3], "labels": [-100, *(i % 3 for i in middle), -100]}


def span_row(first: int, length: int) -> Row:
    """A question of two tokens and a text, whose answer is its last two tokens."""
    return {
        "input_ids": list(range(first, first + length)),
        "token_type_ids": [0, 0] + [1] * (length - 2),
        "start_positions": length - 2,
        "end_positions": length - 1,
    }


def test_one_label_per_token_is_padded_with_ignored() -> None:
    batch = pad([tag_row(20, 4), tag_row(30, 7)], PAD_ID)
    assert batch["input_ids"].tolist() == [[2, 20, 21, 3, 11, 11, 11], [2, 30, 31, 32, 33, 34, 3]]
    assert batch["labels"].tolist() == [[-100, 2, 0, -100, -100, -100, -100], [-100, 0, 1, 2, 0, 1, -100]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 0, 0, 0], [1] * 7]
    assert batch.keys() == {"input_ids", "labels", "attention_mask"}
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def test_spans_are_one_number_per_row() -> None:
    batch = pad([span_row(20, 5), span_row(30, 3)], PAD_ID)
    assert batch["input_ids"].tolist() == [[20, 21, 22, 23, 24], [30, 31, 32, 11, 11]]
    assert batch["token_type_ids"].tolist() == [[0, 0, 1, 1, 1], [0, 0, 1, 0, 0]]
    assert batch["start_positions"].tolist() == [3, 1]
    assert batch["end_positions"].tolist() == [4, 2]


def test_a_mask_of_the_rows_own_is_kept_and_grades_are_real_numbers() -> None:
    rows: list[Row] = [
        {"input_ids": [2, 7, 3], "attention_mask": [1, 2, 2], "labels": 0.5},
        {"input_ids": [2], "attention_mask": [1], "labels": 3},
    ]
    batch = pad(rows, PAD_ID)
    assert batch["attention_mask"].tolist() == [[1, 2, 2], [1, 0, 0]]
    assert batch["labels"].dtype == torch.float32
    assert batch["labels"].tolist() == [0.5, 3.0]


@pytest.mark.parametrize("make", [tag_row, span_row])
def test_any_tasks_rows_make_a_stream_that_its_model_takes(make: type) -> None:
    config = BertConfig(
        vocab_size=99, hidden_size=20, num_hidden_layers=1, num_attention_heads=4, intermediate_size=37,
        max_position_embeddings=16, labels=("a", "b", "c"),
    )  # fmt: skip
    model = (BertForTokenClassification if make is tag_row else BertForQuestionAnswering)(config)
    rows = [make(5 + 3 * n, 3 + n % 7) for n in range(17)]
    stream = ExampleStream(rows, pad_id=PAD_ID, batch_size=3, seed=1)
    seen: list[tuple[int, ...]] = []
    for _ in range(stream.batches_per_epoch):
        batch = next(stream)
        assert model(**batch).loss.isfinite()
        for ids, mask in zip(batch["input_ids"].tolist(), batch["attention_mask"].tolist(), strict=True):
            seen.append(tuple(ids[: sum(mask)]))
    assert sorted(seen) == sorted(tuple(row["input_ids"]) for row in rows)  # type: ignore[arg-type]
    place = stream.state_dict()
    other = ExampleStream(rows, pad_id=PAD_ID, batch_size=3, seed=1)
    other.load_state_dict(place)
    assert torch.equal(next(other)["input_ids"], next(stream)["input_ids"])


def test_in_order_is_everything_once() -> None:
    batches = batches_in_order([tag_row(10 * n, 3 + n) for n in range(5)], pad_id=PAD_ID, batch_size=2)
    assert [batch["input_ids"][:, 1].tolist() for batch in batches] == [[0, 10], [20, 30], [40]]


def test_a_seed_and_a_number_make_one_generator() -> None:
    drawn = {(s, n): torch.rand(1, generator=seeded(s, n)).item() for s in range(5) for n in range(7)}
    assert len(set(drawn.values())) == 35
    assert torch.rand(1, generator=seeded(4, 6)).item() == drawn[4, 6]
    assert seeded(3, 1).initial_seed() == 0x1D36A643  # zlib.crc32(b"3 1"): stored runs depend on it


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"input_ids": [1, 2], "labels": [0]}], "row 0 has 1 labels for 2 input_ids: expected one per token"),
        ([{"input_ids": [1], "labels": 0}, {"input_ids": [1]}], "row 1 has .*the first has .*expected the same keys"),
        ([{"input_ids": [1], "labels": 0}, {"input_ids": [1], "labels": [0]}], "labels is one number in some rows"),
        ([{"labels": 0}], "has no list of input_ids"),
    ],
)
def test_mistakes_in_rows_are_named(rows: list[Row], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pad(rows, PAD_ID)
