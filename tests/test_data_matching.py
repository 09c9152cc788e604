"""Matches from tables, as rows, as batches."""

from pathlib import Path

import pytest
import torch

from bertmini import WordPieceTokenizer
from bertmini.data.matching import Match, MatchStream, match_batch, match_rows, read_matches

WORDS = ["a", "seal", "fox", "swims", "runs", "far"]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])


def write(folder: Path, text: str) -> Path:
    path = folder / "pairs.tsv"
    path.write_text(text)
    return path


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, "much\tother\tone\n4.5\ta fox runs\ta seal swims\n0\tfar\ta fox\n")
    assert read_matches(path, text="one", pair="other", score="much") == [
        Match("a seal swims", "a fox runs", None, 4.5),
        Match("a fox", "far", None, 0.0),
    ]
    assert read_matches(path, text="one", pair="other", negative="other")[0].wrong == "a fox runs"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text\tpair\tscore\na\tb\tmuch\n", r"pairs.tsv, line 2: score \('score'\) is 'much': expected a number"),
        ("text\tpair\tscore\na\t\t1\n", r"pairs.tsv, line 2: pair \('pair'\) is empty"),
        ("text\tpair\tscore\n", r"pairs.tsv holds no examples"),
        ("text\tscore\na\t1\n", r"pairs.tsv has no column 'pair'"),
        ("text\tpair\tscore\na\tb\t1\ntext\tpair\tscore\n", r"line 3 is the heading again"),
        ("text\tpair\tscore\na\tb\tnan\n", r"line 2: score \('score'\) is 'nan', a missing value"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_matches(write(tmp_path, text), score="score")


def test_scores_are_stretched_and_texts_cut() -> None:
    matches = [Match("a seal", "a", None, 1.0), Match("fox", "far", None, 3.0), Match("a", "a", None, 2.0)]
    rows = match_rows(matches, TOKENIZER, max_length=3)
    assert [row.score for row in rows] == [0.0, 1.0, 0.5]
    assert [len(row["input_ids"]) for match in rows for row in match.rows] == [3] * 6


@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ([Match("a", "fox"), Match("a", "fox", "seal")], "expected one kind"),
        ([Match("a", "fox", None, 2.0), Match("a", "seal", None, 2.0)], "all 2 scores are 2.0"),
    ],
)
def test_kinds_are_not_mixed_and_scores_differ(matches: list[Match], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        match_rows(matches, TOKENIZER, max_length=9)


def test_a_batch_has_texts_then_partners_then_wrong_ones() -> None:
    matches = [Match("a seal swims", "seal", "fox"), Match("fox", "a fox runs", "far far far far")]
    batch = match_batch(match_rows(matches, TOKENIZER, max_length=9), TOKENIZER.pad_id)
    expected = [matches[0].text, matches[1].text, "seal", "a fox runs", "fox", "far far far far"]
    rows = zip(batch["input_ids"], batch["attention_mask"], strict=True)
    assert [ids[mask.bool()].tolist() for ids, mask in rows] == [TOKENIZER.encode(text).ids for text in expected]
    assert batch["partners"].tolist() == [2, 3]
    assert "scores" not in batch


def test_stream_shows_every_match_once_an_epoch_and_goes_on_where_it_was() -> None:
    matches = [Match(" ".join(["a"] * count), "fox", None, float(count)) for count in range(1, 8)]
    rows = match_rows(matches, TOKENIZER, max_length=12)
    stream = MatchStream(rows, pad_id=TOKENIZER.pad_id, batch_size=3)
    first = [next(stream) for _ in range(stream.batches_per_epoch)]
    assert sorted(score for batch in first for score in batch["scores"].tolist()) == pytest.approx(
        [count / 6 for count in range(7)]
    )
    for batch in first:
        lengths = batch["attention_mask"].sum(1)[: len(batch["scores"])] - 2
        torch.testing.assert_close(batch["scores"], (lengths - 1) / 6)
    state = stream.state_dict()
    expected = next(stream)
    again = MatchStream(rows, pad_id=TOKENIZER.pad_id, batch_size=3)
    again.load_state_dict(state)
    torch.testing.assert_close(next(again), expected)
