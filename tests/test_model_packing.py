import torch
from hypothesis import given
from hypothesis import strategies as st
from small_models import MASKS

from bertmini.model.packing import first_tokens, visible
from bertmini.model.positions import position_ids, starts

# Packed by hand: rows of two sequences, of three and of one, padding behind.
PACKED = torch.tensor([[1, 1, 1, 2, 2, 0, 0], [1, 2, 3, 3, 3, 3, 3], [1, 1, 1, 1, 0, 0, 0]])


@st.composite
def packed_masks(draw: st.DrawFn) -> torch.Tensor:
    """Rows of sequences one after another, in order, then padding."""
    width, rows = 9, []
    for _ in range(draw(st.integers(1, 4))):
        row: list[int] = []
        for number in range(1, draw(st.integers(1, 4)) + 1):
            row += [number] * draw(st.integers(1, 4))
        rows.append((row + [0] * width)[:width])
    return torch.tensor(rows)


def test_by_hand() -> None:
    assert starts(PACKED).int().tolist() == [[0, 0, 0, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0], [0] * 7]
    assert position_ids(PACKED).tolist() == [[0, 1, 2, 0, 1, 2, 3], [0, 0, 0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5, 6]]
    assert first_tokens(PACKED).tolist() == [0, 3, 7, 8, 9, 14]


def test_plain_batches_count_columns_wherever_the_padding_is() -> None:
    # Hugging Face's BERT gives the n-th column position n and pools column 0, whatever the mask.
    for mask in MASKS.values():
        assert position_ids(mask).tolist() == [list(range(7))] * 3
        assert first_tokens(mask).tolist() == [0, 7, 14]
        assert not starts(mask).any()


@given(mask=packed_masks())
def test_against_a_loop(mask: torch.Tensor) -> None:
    kept = mask.clone()
    places, positions = [], []
    for r, row in enumerate(mask.tolist()):
        begin = 0
        for c, number in enumerate(row):
            if c == 0 or (number > 1 and number != row[c - 1]):
                begin = c
                places.append(r * len(row) + c)
            positions.append(c - begin)
    assert first_tokens(mask).tolist() == places
    assert position_ids(mask).flatten().tolist() == positions
    assert mask.equal(kept)


@given(queries=packed_masks(), keys=packed_masks())
def test_visible_is_the_same_number_and_no_padding(queries: torch.Tensor, keys: torch.Tensor) -> None:
    rows = min(len(queries), len(keys))
    queries, keys = queries[:rows, :5], keys[:rows]  # as many queries as the last layer reads, fewer than keys
    allowed = visible(queries, keys)
    assert allowed.shape == (rows, 1, 5, 9)
    assert allowed.dtype == torch.bool
    for b in range(rows):
        for i, query in enumerate(queries[b].tolist()):
            for j, key in enumerate(keys[b].tolist()):
                assert allowed[b, 0, i, j] == (key != 0 and query in (0, key))
