"""Ways to write, on tables of probabilities that are known, and the distribution in which Gibbs sampling ends."""

import pytest
import torch
from torch import Tensor

from bertmini.runs.write import Order, continue_texts, fill, gibbs

MASK, WORDS = 0, 3  # two words, 1 and 2; nothing else is ever likely
JOINT = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.5, 0.1], [0.0, 0.0, 0.4]])  # of two places


def guess(ids: Tensor) -> Tensor:
    """The exact conditionals of each of two places, given the other or nothing."""
    logits = torch.zeros(len(ids), 2, WORDS)
    for row, (a, b) in enumerate(ids.tolist()):
        logits[row, 0] = JOINT[:, b] if b != MASK else JOINT.sum(1)
        logits[row, 1] = JOINT[a] if a != MASK else JOINT.sum(0)
    return logits.log()


def shares(ids: Tensor) -> Tensor:
    """How often each pair was written."""
    return torch.bincount(ids[:, 0] * WORDS + ids[:, 1], minlength=WORDS * WORDS).view(WORDS, WORDS) / len(ids)


@pytest.mark.parametrize("order", ["left to right", "any order", "most confident"])
def test_one_at_a_time_draws_from_the_joint(order: Order) -> None:
    ids = fill(guess, torch.zeros(4_000, 2, dtype=torch.long), MASK, order=order, generator=torch.Generator())
    torch.testing.assert_close(shares(ids), JOINT, atol=0.03, rtol=0)


def test_at_once_draws_from_the_product_of_the_marginals() -> None:
    ids = fill(guess, torch.zeros(4_000, 2, dtype=torch.long), MASK, order="at once", generator=torch.Generator())
    product = JOINT.sum(1)[:, None] * JOINT.sum(0)
    torch.testing.assert_close(shares(ids), product, atol=0.03, rtol=0)


def test_gibbs_ends_in_the_joint_from_anywhere() -> None:
    start = torch.full((4_000, 2), 1)
    free = torch.ones_like(start, dtype=torch.bool)
    ids = gibbs(guess, start, free, MASK, sweeps=20, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(shares(ids), JOINT, atol=0.03, rtol=0)
    assert bool((start == 1).all()), "the text that was given is not changed"
    kept = gibbs(guess, start, free & torch.tensor([False, True]), MASK, sweeps=3, generator=torch.Generator())
    assert bool((kept[:, 0] == 1).all())


def test_likeliest_pieces_and_what_stands_already() -> None:
    ids = torch.tensor([[0, 0], [0, 2], [2, 1]])
    for order in ("left to right", "most confident"):
        assert fill(guess, ids, MASK, order=order).tolist() == [[1, 1], [2, 2], [2, 1]]
    with pytest.raises(ValueError, match="order 'backwards'"):
        fill(guess, ids, MASK, order="backwards")  # type: ignore[arg-type]


def test_going_on_stops_at_the_end_mark_or_at_the_longest() -> None:
    def next_piece(ids: Tensor) -> Tensor:
        """Counts upwards, and the row that began with 4 ends at 6."""
        return torch.nn.functional.one_hot((ids[:, -1] + 1).clamp(max=9), 10).float()

    written = continue_texts(next_piece, torch.tensor([[1], [4]]), 6, longest=5)
    assert written.tolist() == [[1, 2, 3, 4, 5], [4, 5, 6, 0, 0]]
    assert continue_texts(next_piece, torch.tensor([[4]]), 6, longest=9).tolist() == [[4, 5, 6]]
