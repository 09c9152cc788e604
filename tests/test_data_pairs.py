import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmini.data.pairs import (
    IS_NEXT,
    NOT_NEXT,
    SHORT_PAIR_PROBABILITY,
    Chance,
    Pair,
    gather,
    join,
    pairs_of,
    random_segment,
    sentence_pairs,
    single_segments,
    truncate_by_turns,
)

Documents = list[list[list[int]]]
APART = 100_000  # between the first token of one document and the next


def numbered(shape: list[list[int]]) -> Documents:
    """Make documents from their sentences' lengths; a token's number says which document and where in it."""
    documents = []
    for number, lengths in enumerate(shape, start=1):
        place = iter(range(number * APART, number * APART + sum(lengths)))
        documents.append([[next(place) for _ in range(length)] for length in lengths])
    return documents


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def is_run(tokens: list[int]) -> bool:
    """Whether tokens stand one after another in one document."""
    return tokens == list(range(tokens[0], tokens[0] + len(tokens)))


def within(share: float, count: int) -> object:
    return pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / count))


shapes = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=9), min_size=2, max_size=5)
seeds = st.integers(0, 2**32)


@given(shape=shapes, seed=seeds, room=st.integers(2, 29))
def test_labels_tell_the_truth_and_no_sentence_is_lost_or_doubled(shape: list[list[int]], seed: int, room: int) -> None:
    documents, chance = numbered(shape), Chance(seeded(seed))
    starts = {sentence[0] for document in documents for sentence in document}
    for number, document in enumerate(documents):
        read: list[int] = []
        for pair in pairs_of(documents, number, room, chance):
            read += pair.first
            assert is_run(pair.first)
            assert is_run(pair.second)
            assert {pair.first[0], pair.second[0]} <= starts
            if pair.next_sentence_label == IS_NEXT:
                assert pair.second[0] == pair.first[-1] + 1
                read += pair.second
            else:
                assert pair.next_sentence_label == NOT_NEXT
                assert pair.first[0] // APART == number + 1 != pair.second[0] // APART
        assert read == join(document)


@given(shape=shapes, seed=seeds, max_length=st.integers(5, 32))
def test_pairs_fit_and_are_runs_of_the_text(shape: list[list[int]], seed: int, max_length: int) -> None:
    documents = numbered(shape)
    pairs = sentence_pairs(documents, max_length, generator=seeded(seed))
    assert documents == numbered(shape)
    tokens = sum(sum(lengths) for lengths in shape)
    assert bool(pairs) == (tokens > 0)
    for pair in pairs:
        assert len(pair.first) + len(pair.second) + 3 <= max_length
        assert is_run(pair.first)
        assert is_run(pair.second)
    assert pairs == sentence_pairs(documents, max_length, generator=seeded(seed))


def test_half_the_pairs_are_next_and_both_segments_vary_in_length() -> None:
    documents = numbered([[3] * 400] * 20)
    pairs = sentence_pairs(documents, 64, generator=seeded())
    count = len(pairs)
    assert sum(pair.next_sentence_label for pair in pairs) / count == within(0.5, count)
    # Where the first segment ends is uniform over the sentences: its length is half the pair's, over the whole range.
    full = [pair for pair in pairs if len(pair.first) + len(pair.second) >= 60]
    lengths = [len(pair.first) for pair in full if pair.next_sentence_label == IS_NEXT]
    assert min(lengths) == 3
    assert max(lengths) >= 57
    assert sum(lengths) / len(lengths) == pytest.approx(31.5, abs=4 * 18 / math.sqrt(len(lengths)))
    # Every other document is as likely as any to give the random segment.
    random = [pair.second[0] // APART for pair in pairs if pair.next_sentence_label == NOT_NEXT]
    counts = torch.tensor(random).bincount(minlength=21)[1:].double()
    expected = len(random) / 20
    assert (counts - expected).abs().max().item() < 4.5 * math.sqrt(expected)


def test_a_tenth_of_the_pairs_is_short_on_purpose() -> None:
    room = 41
    # One token a sentence: a pair that is next has exactly as many tokens as were aimed at.
    document = numbered([[1] * 120_000, [1]])
    pairs = pairs_of(document, 0, room, Chance(seeded()))
    aimed = [len(pair.first) + len(pair.second) for pair in pairs[:-1] if pair.next_sentence_label == IS_NEXT]
    short = [length for length in aimed if length < room]
    share = SHORT_PAIR_PROBABILITY * (room - 2) / (room - 1)  # a short one may be as long as a long one
    assert SHORT_PAIR_PROBABILITY == 0.1
    assert len(short) / len(aimed) == within(share, len(aimed))
    assert (min(short), max(short), max(aimed)) == (2, room - 1, room)
    assert sum(short) / len(short) == pytest.approx((2 + room - 1) / 2, abs=4 * 11.3 / math.sqrt(len(short)))


def test_random_segments_fill_what_the_first_leaves() -> None:
    documents = numbered([[1] * 500] * 3)
    for pair in pairs_of(documents, 1, 21, Chance(seeded())):
        if pair.next_sentence_label == NOT_NEXT:
            at_end = pair.second[-1] % APART == 499
            assert len(pair.first) + len(pair.second) <= 21
            assert at_end or len(pair.second) >= 1
    lengths = [
        len(p.first) + len(p.second)
        for p in pairs_of(documents, 1, 21, Chance(seeded(1)))
        if p.next_sentence_label == NOT_NEXT and p.second[-1] % APART != 499
    ]
    assert max(set(lengths), key=lengths.count) == 21


@pytest.mark.parametrize(("number", "others"), [(0, {1, 2}), (1, {0, 2}), (2, {0, 1})])
def test_random_segments_come_from_every_other_document(number: int, others: set[int]) -> None:
    chance = Chance(seeded())
    drawn = [random_segment([[[0]], [[1]], [[2]]], number, 1, 1, chance) for _ in range(50)]
    assert {segment[0] for segment in drawn if segment} == others


def test_one_document_gives_true_labels_too() -> None:
    documents = numbered([[2] * 300])
    labels = []
    for pair in pairs_of(documents, 0, 17, Chance(seeded())):
        follows = pair.second[0] == pair.first[-1] + 1
        assert follows == (pair.next_sentence_label == IS_NEXT)
        labels.append(pair.next_sentence_label)
    assert sum(labels) / len(labels) == within(0.5, len(labels))


@given(seed=seeds)
@settings(max_examples=30)
def test_two_sentences_are_next_or_not(seed: int) -> None:
    (document,) = numbered([[3, 4]])
    for pair in sentence_pairs([document], 20, generator=seeded(seed)):
        assert (pair == Pair(document[0], document[1], IS_NEXT)) or (
            pair.next_sentence_label == NOT_NEXT and pair.second[0] != pair.first[-1] + 1
        )


def test_where_a_random_segment_of_the_same_document_may_begin() -> None:
    documents, chance = numbered([[1] * 5]), Chance(seeded())
    for following in range(1, 5):
        begins = {(random_segment(documents, 0, following, 1, chance) or [])[0] % APART for _ in range(200)}
        assert begins == set(range(5)) - {following}


def test_nothing_can_be_made_of_one_sentence_or_none() -> None:
    assert sentence_pairs(numbered([[7]]), 20, generator=seeded()) == []
    assert sentence_pairs([], 20, generator=seeded()) == []
    assert sentence_pairs([[], [[]]], 20, generator=seeded()) == []


def test_empty_sentences_and_documents_are_left_out() -> None:
    (document,) = numbered([[3, 4]])
    holes: Documents = [[], [[]], [[], document[0], [], document[1], []], []]
    assert sentence_pairs(holes, 20, generator=seeded(3)) == sentence_pairs([document], 20, generator=seeded(3))


def test_two_documents_of_one_sentence_each_are_not_next() -> None:
    first, second = numbered([[3], [4]])
    expected = [Pair(first[0], second[0], NOT_NEXT), Pair(second[0], first[0], NOT_NEXT)]
    assert sentence_pairs([first, second], 20, generator=seeded()) == expected


@pytest.mark.parametrize("max_length", [4, 0, -3])
def test_a_length_without_room_is_refused(max_length: int) -> None:
    with pytest.raises(ValueError, match=rf"max_length {max_length} has no room .* must be at least 5"):
        sentence_pairs(numbered([[3, 4]]), max_length, generator=seeded())
    pairs = sentence_pairs(numbered([[3], [4]]), 5, generator=seeded())
    assert [(len(pair.first), len(pair.second)) for pair in pairs] == [(1, 1), (1, 1)]


def test_gather_by_hand() -> None:
    (document,) = numbered([[3, 4, 2, 5]])
    assert [gather(document, 0, target) for target in (1, 3, 4, 7, 8, 9, 10, 14, 99)] == [1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert [gather(document, 2, target) for target in (1, 2, 3, 99)] == [3, 3, 4, 4]


@given(first=st.integers(1, 40), second=st.integers(1, 40), room=st.integers(2, 50), seed=seeds)
def test_truncation_takes_from_the_longer_by_turns(first: int, second: int, room: int, seed: int) -> None:
    lengths = [first, second]
    while sum(lengths) > room:  # the second gives where both are as long, as in the released code
        lengths[0 if lengths[0] > lengths[1] else 1] -= 1
    pair = Pair(list(range(first)), list(range(second)), NOT_NEXT)
    cut = truncate_by_turns(pair, room, Chance(seeded(seed)))
    assert [len(cut.first), len(cut.second)] == lengths
    assert is_run(cut.first)
    assert is_run(cut.second)
    assert cut.first[-1] < first
    assert cut.second[-1] < second
    assert cut.next_sentence_label == NOT_NEXT
    assert pair == Pair(list(range(first)), list(range(second)), NOT_NEXT)


def test_truncation_takes_from_either_end_as_often() -> None:
    chance = Chance(seeded())
    long = list(range(90))
    for longer in (0, 1):
        begins = []
        for _ in range(500):
            pair = Pair(long, [7], IS_NEXT) if longer == 0 else Pair([7], long, IS_NEXT)
            cut = truncate_by_turns(pair, 11, chance)
            assert cut[1 - longer] == [7]
            begins.append(cut[longer][0] if longer == 0 else cut.second[0])
        # 80 tokens go, each from the front with probability 1/2.
        assert sum(begins) / 500 == pytest.approx(40, abs=4 * math.sqrt(20 / 500))


def test_chance_is_uniform_and_follows_its_generator() -> None:
    chance = Chance(seeded(5))
    draws = [chance.uniform() for _ in range(9_001)]  # more than two blocks
    assert all(0 <= draw < 1 for draw in draws)
    assert len(set(draws)) == len(draws)
    assert sum(draws) / len(draws) == pytest.approx(0.5, abs=4 / math.sqrt(12 * len(draws)))
    again = Chance(seeded(5))
    assert [again.uniform() for _ in range(9_001)] == draws
    counts = torch.tensor([chance.below(7) for _ in range(7_000)]).bincount()
    assert len(counts) == 7
    assert (counts - 1_000).abs().max().item() < 4.5 * math.sqrt(1_000)
    assert {chance.below(1) for _ in range(20)} == {0}


@given(shape=shapes, seed=seeds, max_length=st.integers(4, 31))
def test_single_segments_hold_everything_once_in_order_and_fit(
    shape: list[list[int]], seed: int, max_length: int
) -> None:
    documents = numbered(shape)
    segments = single_segments(documents, max_length, generator=seeded(seed))
    assert join([pair.first for pair in segments]) == join(list(map(join, documents)))
    assert all(is_run(pair.first) and len(pair.first) <= max_length - 2 for pair in segments)
    assert all(pair.second == [] and pair.next_sentence_label == IS_NEXT for pair in segments)
    starts = {sentence[0] for document in documents for sentence in document}
    longest = max(len(sentence) for document in documents for sentence in document)
    if longest <= max_length - 2:  # then no sentence is cut
        assert {pair.first[0] for pair in segments} <= starts


def test_most_single_segments_are_as_long_as_can_be() -> None:
    segments = single_segments(numbered([[1] * 5_000]), 22, generator=seeded(3))
    full = sum(len(pair.first) == 20 for pair in segments)
    # A target drawn short is 20 after all once in 19 times.
    assert full / len(segments) == within(1 - SHORT_PAIR_PROBABILITY * 18 / 19, len(segments))


def test_single_segments_need_room() -> None:
    with pytest.raises(ValueError, match="max_length 3 has no room"):
        single_segments([[[7]]], 3, generator=seeded())
