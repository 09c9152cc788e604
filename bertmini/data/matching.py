"""Texts that belong together become batches: a text and its partner, perhaps with wrong ones, perhaps with a score.

A batch has all first texts in its first rows, then their partners, then the wrong ones: each is read alone.
Taught in chapter 11.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from bertmini.data.batches import Batch, ExampleStream, Row, pad
from bertmini.data.tables import read_columns
from bertmini.data.wordpiece import WordPieceTokenizer


class Match(NamedTuple):
    """A text and one that belongs to it: more or less, if there is a `score`, and else unlike the `wrong` one."""

    text: str
    partner: str
    wrong: str | None = None
    score: float | None = None


class MatchRows(NamedTuple):
    """A match as rows of ids: the text's, its partner's, perhaps the wrong one's."""

    rows: tuple[Row, ...]
    score: float | None


def read_matches(
    path: str | Path, *, text: str = "text", pair: str = "pair", negative: str | None = None, score: str | None = None
) -> list[Match]:
    """Read a table of texts that belong together; the names are those of its columns, see `read_labelled`.

    Raises `ValueError` as `read_labelled` does, and for a score that is no number.
    """
    matches = []
    for where, fields in read_columns(path, {"text": text, "pair": pair, "negative": negative, "score": score}):
        number = fields["score"]
        try:
            value = None if number is None else float(number)
        except ValueError:
            raise ValueError(f"{where}: score ({score!r}) is {number!r}: expected a number") from None
        matches.append(Match(str(fields["text"]), str(fields["pair"]), fields["negative"], value))
    return matches


def match_rows(matches: Sequence[Match], tokenizer: WordPieceTokenizer, *, max_length: int) -> list[MatchRows]:
    """Encode each text alone, at most `max_length` tokens; scores are stretched from the lowest, 0, to the highest, 1.

    Raises `ValueError` for a mixture of kinds, and for scores that are all the same.
    """
    kinds = {(match.wrong is None, match.score is None) for match in matches}
    if len(kinds) > 1:
        raise ValueError("some matches have a wrong text or a score and some have none: expected one kind")
    scores = [match.score for match in matches if match.score is not None]
    low, high = (min(scores), max(scores)) if scores else (0.0, 1.0)
    if low == high:
        raise ValueError(f"all {len(scores)} scores are {low}: there is nothing to tell apart")
    texts = [text for match in matches for text in match[:3] if text is not None]
    rows = iter(tokenizer.encode_batch(texts, max_length=max_length))
    return [
        MatchRows(
            tuple({"input_ids": next(rows).ids} for text in match[:3] if text is not None),
            None if match.score is None else (match.score - low) / (high - low),
        )
        for match in matches
    ]


def match_batch(matches: Sequence[MatchRows], pad_id: int) -> Batch:
    """Lay matches out: `input_ids` of all texts, `partners` (N,), the rows of the partners, perhaps `scores` (N,)."""
    roles = zip(*(match.rows for match in matches), strict=True)  # first texts, partners, wrong ones
    batch = pad([row for role in roles for row in role], pad_id)
    batch["partners"] = torch.arange(len(matches), 2 * len(matches))
    if matches[0].score is not None:
        batch["scores"] = torch.tensor([match.score for match in matches])
    return batch


class MatchStream(ExampleStream):
    """Endless batches of matches; see `ExampleStream`."""

    def __init__(self, matches: Sequence[MatchRows], *, pad_id: int, batch_size: int, seed: int = 0) -> None:
        """Start at the first batch. Raises `ValueError` as `ExampleStream` does."""
        self.matches = matches
        rows = [{**match.rows[0], "match": number} for number, match in enumerate(matches)]
        super().__init__(rows, pad_id=pad_id, batch_size=batch_size, seed=seed)

    def __next__(self) -> Batch:
        """Make the next batch."""
        return match_batch([self.matches[number] for number in super().__next__()["match"].tolist()], self.pad_id)
