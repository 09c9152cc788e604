"""Questions about passages become windows that a model reads, and its scores become characters of the passage again.

A window is `[CLS] question [SEP] part of the passage [SEP]`. A passage that does not fit is read through several
windows, each beginning `stride` pieces after the one before (google-research/bert calls this `doc_stride`; the `stride`
of Hugging Face's tokenizers is the overlap, what fits less ours). The answer is taught only in windows that hold all of
it; in the others, and where there is none, both positions point at [CLS], place 0. Source: Devlin et al. 2019, sections
4.2 and 4.3; google-research/bert, run_squad.py.

Every piece remembers which characters it came from, so an answer is cut out of the passage exactly as written.
Left out on purpose: run_squad's "maximum context" (of a span seen in several windows the best score counts).
Taught in chapter 10.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from bertmini.data.batches import Row
from bertmini.data.squad import GoldAnswer, Question
from bertmini.data.wordpiece import WordPieceTokenizer

Characters = tuple[int, int]
"""Where something stands in a text, end excluded."""


class Window(NamedTuple):
    """What the model reads at once of a question's passage."""

    question: int
    """The number of the question among those given."""
    row: Row
    """`input_ids`, `token_type_ids`, and where the answer is, `start_positions` and `end_positions`."""
    first: int
    """The place of the first piece of the passage; those before it can be no answer."""
    offsets: list[Characters]
    """The characters of the passage that each of the window's pieces came from, beginning with that piece."""


class Candidate(NamedTuple):
    """A possible answer: its text, its characters in the passage, and its score, start plus end."""

    text: str
    characters: Characters
    score: float


class Reading(NamedTuple):
    """What a model found for one question: the best spans, best first, and the score of there being no answer."""

    candidates: list[Candidate]
    null: float

    @property
    def margin(self) -> float:
        """How much the best span scores above the null answer."""
        return self.candidates[0].score - self.null if self.candidates else -float("inf")

    def answer(self, threshold: float = 0.0) -> str:
        """The best span, or "" unless it beats the null answer by more than `threshold`."""
        return self.candidates[0].text if self.margin > threshold else ""


def answer_windows(
    questions: Sequence[Question], tokenizer: WordPieceTokenizer, *, max_length: int, stride: int
) -> list[Window]:
    """Cut every passage into windows of at most `max_length` tokens, special ones included.

    Of several answers the first is taught. Raises `ValueError` for a question that leaves no room for the passage, a
    stride that would skip pieces or never move, a passage without any pieces, and an answer that no piece came from.
    """
    if stride < 1:
        raise ValueError(f"stride is {stride}: a window must begin at least 1 piece after the one before")
    asked = tokenizer.encode_ids([question.question for question in questions])
    passages = tokenizer.encode_batch([question.passage for question in questions], add_special_tokens=False)
    windows = []
    for number, (question, ids, passage) in enumerate(zip(questions, asked, passages, strict=True)):
        room = max_length - len(ids) - 3
        if room < stride:
            raise ValueError(
                f"question {question.id!r} has {len(ids)} pieces and leaves room for {max(room, 0)} of the passage in "
                f"max_length={max_length}, but stride={stride}: pieces would be skipped; take a longer max_length or a "
                "smaller stride"
            )
        if not passage.ids:
            raise ValueError(f"the passage of question {question.id!r} has no pieces: it is empty for this tokenizer")
        gold = answer_pieces(question.answers[0], passage.offsets, question.id) if question.answers else None
        beginning = [tokenizer.cls_id, *ids, tokenizer.sep_id]
        for begin in window_starts(len(passage.ids), room, stride):
            part = passage.ids[begin : begin + room]
            start, end = 0, 0
            if gold and begin <= gold[0] and gold[1] < begin + len(part):
                start, end = (place - begin + len(beginning) for place in gold)
            row: Row = {
                "input_ids": [*beginning, *part, tokenizer.sep_id],
                "token_type_ids": [0] * len(beginning) + [1] * (len(part) + 1),
                "start_positions": start,
                "end_positions": end,
            }
            windows.append(Window(number, row, len(beginning), passage.offsets[begin : begin + room]))
    return windows


def window_starts(pieces: int, room: int, stride: int) -> list[int]:
    """Where each window of `room` pieces begins; the last is the first that reaches the end.

    >>> window_starts(10, room=6, stride=3)
    [0, 3, 6]
    """
    return list(range(0, max(pieces - room, 0) + stride, stride))


def answer_pieces(answer: GoldAnswer, offsets: Sequence[Characters], name: str = "") -> Characters:
    """The first and the last piece that share a character with the answer. Raises `ValueError` if none does.

    >>> answer_pieces(GoldAnswer("lamps", 4), [(0, 3), (4, 8), (8, 9), (9, 10)])
    (1, 2)
    """
    begin, end = answer.begin, answer.begin + len(answer.text)
    shared = [place for place, (first, last) in enumerate(offsets) if first < end and last > begin]
    if not shared:
        raise ValueError(
            f"no piece comes from the answer {answer.text!r} of question {name!r}: mark visible characters"
        )
    return shared[0], shared[-1]


def read_spans(
    windows: Iterable[Window],
    logits: Iterable[tuple[Tensor, Tensor]],
    questions: Sequence[Question],
    *,
    n_best: int = 5,
    max_pieces: int = 30,
) -> list[Reading]:
    """Turn start and end logits (S,) of each window into readings, one for each question.

    A span begins before it ends, within one window's part of the passage, and has at most `max_pieces` pieces. A span
    seen in several windows counts with its best score; the null answer with its lowest, since one window that holds an
    answer is enough. Raises `ValueError` for a question without a window.
    """
    spans: list[dict[Characters, float]] = [{} for _ in questions]
    nulls = [float("inf")] * len(questions)
    for window, (start, end) in zip(windows, logits, strict=True):
        found = spans[window.question]
        for score, first, last in best_spans(start, end, window, n_best=n_best, max_pieces=max_pieces):
            characters = window.offsets[first][0], window.offsets[last][1]
            found[characters] = max(score, found.get(characters, score))
        nulls[window.question] = min(nulls[window.question], float(start[0] + end[0]))
    readings = []
    for question, found, null in zip(questions, spans, nulls, strict=True):
        if null == float("inf"):
            raise ValueError(f"question {question.id!r} has no window: give the windows of all questions")
        best = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:n_best]
        readings.append(Reading([Candidate(*_cut(question.passage, place), score) for place, score in best], null))
    return readings


def best_spans(
    start: Tensor, end: Tensor, window: Window, *, n_best: int, max_pieces: int
) -> list[tuple[float, int, int]]:
    """The `n_best` spans of one window: score, first and last piece, counted among the window's pieces."""
    count = len(window.offsets)
    part = slice(window.first, window.first + count)
    scores = start[part, None].double() + end[None, part].double()  # (first, last)
    allowed = torch.ones_like(scores, dtype=torch.bool).triu().tril(max_pieces - 1)
    best = scores.masked_fill(~allowed, -torch.inf).flatten().topk(min(n_best, int(allowed.sum())))
    return [(score, place // count, place % count) for score, place in zip(*map(Tensor.tolist, best), strict=True)]


def _cut(passage: str, characters: Characters) -> tuple[str, Characters]:
    """Cut the answer out, with the marks (accents) that belong to its last character."""
    begin, end = characters
    while end < len(passage) and unicodedata.combining(passage[end]):
        end += 1
    return passage[begin:end], (begin, end)
