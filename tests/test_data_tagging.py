"""Words and tags become rows: the alignment by hand, what is cut, and Viterbi against all sequences there are."""

from itertools import product

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmini.config import IGNORED
from bertmini.data.batches import pad
from bertmini.data.tagging import (
    LABELLED,
    Labelled,
    TaggedWords,
    align_tags,
    as_bio,
    illegal_tags,
    may_follow,
    tag_labels,
    tagging_rows,
    viterbi,
    word_places,
)
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.metrics import entities

PIECES = ["ada", "ash", "##ing", "##ton", "lives", "in", "don", "'", "t", "."]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES])
SENTENCE = TaggedWords(("Ada", "lives", "in", "Ashington", "."), ("B-PER", "O", "O", "B-LOC", "O"))
LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
TAGS = st.sampled_from([*LABELS, "B-creative-work", "I-creative-work"])


@pytest.mark.parametrize(
    ("labelled", "town"), [("first", [1, None, None]), ("all", [1, 2, 2]), ("last", [None, None, 1])]
)
def test_a_sentence_by_hand(labelled: Labelled, town: list[int | None]) -> None:
    (row,), (places,) = tagging_rows([SENTENCE], TOKENIZER, LABELS, max_length=20, labelled=labelled)
    tokens = ["[CLS]", "ada", "lives", "in", "ash", "##ing", "##ton", ".", "[SEP]"]
    assert row["input_ids"] == TOKENIZER.convert_tokens_to_ids(tokens)
    wanted = [None, 3, 0, 0, *town, 0, None]
    assert row["labels"] == [IGNORED if number is None else number for number in wanted]
    assert places == [1, 2, 3, 6 if labelled == "last" else 4, 7]


def test_ids_and_words_are_those_of_transformers() -> None:
    theirs = transformers.BertTokenizer(vocab=dict(TOKENIZER.vocab))
    words = ["Ada", "don't", "\u200b", "Ashington", "42", "."]
    given = theirs(words, is_split_into_words=True)
    (ours,) = TOKENIZER.encode_words([words])
    assert ours.ids == given["input_ids"]
    assert ours.word_ids == given.word_ids()
    assert ours.word_ids.count(1) == 3  # don ' t are one word
    assert 2 not in ours.word_ids  # nothing is left of an invisible one


def test_a_word_without_a_piece_and_words_that_are_cut_have_no_place() -> None:
    unseen = TaggedWords(("ada", "\u200b", "lives"), ("B-PER", "O", "O"))
    assert tagging_rows([unseen], TOKENIZER, LABELS, max_length=20).places == [[1, None, 2]]
    for labelled in LABELLED:
        (row,), (places,) = tagging_rows([SENTENCE], TOKENIZER, LABELS, max_length=7, labelled=labelled)
        assert len(row["input_ids"]) == len(row["labels"]) == 7  # type: ignore[arg-type]
        assert places == [1, 2, 3, 5 if labelled == "last" else 4, None]  # the town's last piece was cut
    batch = pad(tagging_rows([SENTENCE, unseen], TOKENIZER, LABELS, max_length=20).rows, TOKENIZER.pad_id)
    assert batch["labels"].shape == batch["input_ids"].shape == (2, 9)
    assert batch["labels"][1].tolist() == [IGNORED, 3, 0, *[IGNORED] * 6]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 4), TAGS), min_size=1, max_size=6), st.sampled_from(LABELLED))
def test_every_word_is_labelled_once_or_all_over(words: list[tuple[int, str]], labelled: Labelled) -> None:
    word_ids = [None, *(number for number, (pieces, _) in enumerate(words) for _ in range(pieces)), None]
    tags = [tag for _, tag in words]
    aligned = align_tags(tags, word_ids, labelled=labelled)
    places = word_places(word_ids, len(words), labelled=labelled)
    assert [aligned[place] for place in places if place is not None] == tags
    there = sum(tag is not None for tag in aligned)
    assert there == (sum(pieces for pieces, _ in words) if labelled == "all" else len(words))
    if labelled == "all":  # the pieces say the same entities, each as long as its pieces
        said = entities([tag or "O" for tag in aligned[1:-1]])
        assert len(said) == len(entities(tags))


def test_labels_are_numbered_o_first_and_both_of_each_kind() -> None:
    assert tag_labels([SENTENCE]) == LABELS
    with pytest.raises(ValueError, match="all words of 1 sentences have the tag O"):
        tag_labels([TaggedWords(("in",), ("O",))])


def test_a_kind_that_looks_like_a_tag_is_kept() -> None:
    assert align_tags(["B-SUB-X"], [None, 0, 0, None], labelled="all") == [None, "B-SUB-X", "I-SUB-X", None]


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"2 words, 1 tags \(of 'ada lives'\)"):
        tagging_rows([TaggedWords(("ada", "lives"), ("O",))], TOKENIZER, LABELS, max_length=9)
    with pytest.raises(ValueError, match=r"tag 'B-ORG' \(of 'ada'\) is none of O, B-LOC"):
        tagging_rows([TaggedWords(("ada",), ("B-ORG",))], TOKENIZER, LABELS, max_length=9)
    with pytest.raises(ValueError, match="labelled is 'middle'; choose one of first, all, last"):
        word_places([None, 0, None], 1, labelled="middle")  # type: ignore[arg-type]


@given(st.lists(TAGS, max_size=8))
def test_as_bio_keeps_the_entities_and_is_legal(tags: list[str]) -> None:
    assert entities(as_bio(tags)) == entities(tags)
    assert illegal_tags(as_bio(tags)) == 0
    if illegal_tags(tags) == 0:
        assert as_bio(tags) == tags


def test_illegal_tags_by_hand() -> None:
    assert illegal_tags(["I-PER", "I-PER", "O", "I-LOC", "B-PER", "I-LOC"]) == 3
    assert illegal_tags([]) == 0


@settings(max_examples=60)
@given(st.integers(1, 4), st.integers(0, 10**6))
def test_viterbi_is_the_best_of_all_legal_sequences(length: int, seed: int) -> None:
    scores = torch.randn(length, len(LABELS), generator=torch.Generator().manual_seed(seed))

    def total(path: tuple[int, ...]) -> float:
        return sum(float(scores[place, number]) for place, number in enumerate(path))

    def legal(path: tuple[int, ...]) -> bool:
        tags = [LABELS[number] for number in path]
        return all(may_follow(tag, before) for before, tag in zip(["O", *tags], tags, strict=False))

    best = max(filter(legal, product(range(len(LABELS)), repeat=length)), key=total)
    assert viterbi(scores, LABELS) == [LABELS[number] for number in best]


def test_viterbi_changes_nothing_that_is_legal_and_takes_certainty() -> None:
    scores = torch.full((3, 5), -float("inf"))
    scores[[0, 1, 2], [1, 2, 0]] = 0.0  # B-LOC I-LOC O, for certain
    assert viterbi(scores, LABELS) == ["B-LOC", "I-LOC", "O"]
    assert viterbi(torch.zeros(0, 5), LABELS) == []
