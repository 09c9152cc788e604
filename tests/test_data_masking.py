import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bertmini.config import IGNORED
from bertmini.data.masking import Masking

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *(f"word{n}" for n in range(60)),
    *(f"##{n}" for n in range(34)),
]
SPECIAL = 5  # ids below are special
WORDS = 65  # ids below begin a word
VOCABULARY = 99
assert len(PIECES) == VOCABULARY


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def many(rows: int = 301, columns: int = 401) -> Tensor:
    """Random ids, a fifth of them special, each row [CLS] ... [SEP] and padding."""
    generator = seeded(7)
    ids = torch.randint(SPECIAL, VOCABULARY, (rows, columns), generator=generator)
    special = torch.rand(rows, columns, generator=generator) < 0.2
    ids = torch.where(special, torch.randint(0, SPECIAL, (rows, columns), generator=generator), ids)
    ids[:, 0], ids[:, -9], ids[:, -8:] = 2, 3, 0
    return ids


def within(share: float, count: int) -> object:
    """The share, give or take four standard errors of a count of so many."""
    return pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / count))


@pytest.mark.parametrize("whole_words", [False, True])
@pytest.mark.parametrize(
    ("rate", "mask_share", "random_share"), [(0.15, 0.8, 0.1), (0.4, 0.5, 0.3), (1.0, 0.0, 1.0), (0.2, 1.0, 0.0)]
)
def test_shares(rate: float, mask_share: float, random_share: float, whole_words: bool) -> None:
    ids = many()
    masking = Masking(PIECES, rate=rate, mask_share=mask_share, random_share=random_share, whole_words=whole_words)
    corrupted, labels = masking(ids, generator=seeded())
    selected = labels != IGNORED
    maskable = ids >= SPECIAL
    count = int(selected.sum())
    words = int((maskable & (ids < WORDS)).sum()) if whole_words else int(maskable.sum())
    assert count / int(maskable.sum()) == within(rate, words)
    masked = selected & (corrupted == 4)
    assert int(masked.sum()) / count == within(mask_share, count)
    # A random piece is the original itself once in 94 times.
    changed = selected & ~masked & (corrupted != ids)
    assert int(changed.sum()) / count == within(random_share * 93 / 94, count)
    assert selected.float().mean(dim=0)[0] == 0


def test_the_default_is_the_papers() -> None:
    masking = Masking(PIECES)
    assert (masking.rate, masking.mask_share, masking.random_share, masking.whole_words) == (0.15, 0.8, 0.1, False)


def test_labels_are_the_originals_where_selected_and_nowhere_else() -> None:
    ids = many(31, 41)
    corrupted, labels = Masking(PIECES)(ids, generator=seeded())
    selected = labels != IGNORED
    assert labels[selected].equal(ids[selected])
    assert set(labels[~selected].tolist()) == {-100}
    assert corrupted[~selected].equal(ids[~selected])
    assert 0 < int(selected.sum()) < selected.numel() / 4  # not labels everywhere
    assert corrupted.dtype == labels.dtype == torch.int64


@pytest.mark.parametrize("whole_words", [False, True])
def test_special_tokens_are_neither_selected_nor_drawn(whole_words: bool) -> None:
    ids = many()
    corrupted, labels = Masking(PIECES, rate=1, mask_share=0, random_share=1, whole_words=whole_words)(
        ids, generator=seeded()
    )
    special = ids < SPECIAL
    assert bool((labels[special] == IGNORED).all())
    assert corrupted[special].equal(ids[special])
    assert bool((labels[~special] != IGNORED).all())
    drawn = corrupted[~special]
    assert int(drawn.min()) == SPECIAL
    assert int(drawn.max()) == VOCABULARY - 1
    # Every other piece is as likely as any: no count is further than 5 standard errors from the mean.
    counts = drawn.bincount(minlength=VOCABULARY)[SPECIAL:].double()
    expected = len(drawn) / 94
    assert (counts - expected).abs().max().item() < 5 * math.sqrt(expected)


def test_special_tokens_may_stand_anywhere_and_have_other_names() -> None:
    pieces = ["a", "b", "<mask>", "c", "<s>", "d"]
    masking = Masking(pieces, special_tokens=["<s>", "<mask>"], mask_token="<mask>", rate=1, mask_share=0.5)
    ids = torch.tensor([[4, 0, 1, 3, 5, 2, 4] * 50])
    corrupted, labels = masking(ids, generator=seeded())
    special = (ids == 4) | (ids == 2)
    assert (labels == IGNORED).equal(special)
    assert corrupted[special].equal(ids[special])
    assert {0, 1, 2, 3, 5} == set(corrupted[~special].tolist())
    assert int((corrupted[~special] == 2).sum()) / 200 == within(0.5, 200)


def words_of(row: list[int]) -> list[list[int]]:
    """Group places into words by hand: a ## piece belongs to the piece before it, unless that is special."""
    words: list[list[int]] = []
    for place, token in enumerate(row):
        if token < SPECIAL:
            words.append([])
        elif token < WORDS or not words:
            words.append([place])
        else:
            words[-1].append(place)
    return [word for word in words if word]


@given(
    rows=st.lists(
        st.lists(st.one_of(st.integers(0, 64), st.integers(WORDS, 98)), min_size=9, max_size=9), min_size=1, max_size=4
    ),
    seed=st.integers(0, 2**32),
    rate=st.sampled_from([0.15, 0.5, 0.9]),
)
def test_whole_words_all_or_none(rows: list[list[int]], seed: int, rate: float) -> None:
    ids = torch.tensor([[2, *row, 3] for row in rows])
    labels = Masking(PIECES, rate=rate, whole_words=True)(ids, generator=seeded(seed)).labels
    for row, selected in zip(ids.tolist(), (labels != IGNORED).tolist(), strict=True):
        for word in words_of(row):
            assert len({selected[place] for place in word}) == 1, (row, word)


def test_whole_words_of_a_row_that_begins_without_a_special_token_are_selected_independently() -> None:
    ids = torch.tensor([[5, 6, 7]]).expand(20_001, 3)
    selected = Masking(PIECES, rate=0.3, whole_words=True)(ids, generator=seeded()).labels != IGNORED
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert (selected[:, one] & selected[:, other]).double().mean().item() == within(0.09, 20_001)


def test_whole_words_are_selected_independently_and_their_pieces_meet_their_own_fates() -> None:
    ids = torch.tensor([[2, 5, 70, 71, 6, 72, 7, 3]]).expand(20_001, 8)
    corrupted, labels = Masking(PIECES, rate=0.3, whole_words=True)(ids, generator=seeded())
    first, second, third = ((labels[:, place] != IGNORED) for place in (1, 4, 6))
    for word in (first, second, third):
        assert word.double().mean().item() == within(0.3, 20_001)
    for one, other in ((first, second), (second, third), (first, third)):
        assert (one & other).double().mean().item() == within(0.09, 20_001)
    both_masked = (corrupted[first][:, 1:3] == 4).all(dim=1).double().mean().item()
    assert both_masked == within(0.64, int(first.sum()))


def test_positions_and_rows_are_selected_independently() -> None:
    ids = torch.full((501, 401), 9)
    selected = (Masking(PIECES)(ids, generator=seeded()).labels != IGNORED).double() - 0.15
    for one, other in ((selected[:, 1:], selected[:, :-1]), (selected[1:], selected[:-1])):
        correlation = (one * other).mean().item() / (0.15 * 0.85)
        assert abs(correlation) < 4 / math.sqrt(one.numel())


def test_only_the_given_generator_is_drawn_from() -> None:
    ids = many(31, 41)
    masking = Masking(PIECES, whole_words=True)
    before = torch.get_rng_state()
    first, again, other = (masking(ids, generator=seeded(seed)) for seed in (3, 3, 4))
    assert first.input_ids.equal(again.input_ids)
    assert first.labels.equal(again.labels)
    assert not first.labels.equal(other.labels)
    assert torch.get_rng_state().equal(before)
    generator = seeded(3)
    assert not masking(ids, generator=generator).labels.equal(masking(ids, generator=generator).labels)


@pytest.mark.parametrize("whole_words", [False, True])
def test_the_input_stays_as_it_was(whole_words: bool) -> None:
    ids = many(31, 41)
    kept = ids.clone()
    Masking(PIECES, rate=1, whole_words=whole_words)(ids, generator=seeded())
    assert ids.equal(kept)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0.0}, r"masking rate 0.0 selects nothing or too much; choose one in \(0, 1\]"),
        ({"rate": 1.1}, "masking rate 1.1"),
        ({"rate": float("nan")}, "masking rate nan"),
        ({"mask_share": -0.1}, "mask_share -0.1 and random_share 0.1 must be shares of one whole"),
        ({"random_share": -0.1}, "mask_share 0.8 and random_share -0.1"),
        ({"mask_share": 0.8, "random_share": 0.21}, "mask_share 0.8 and random_share 0.21"),
        ({"mask_token": "<mask>"}, "the vocabulary of 99 pieces needs '<mask>' and one that is not special"),
        ({"special_tokens": PIECES}, "the vocabulary of 99 pieces needs"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Masking(PIECES, **settings)  # type: ignore[arg-type]
