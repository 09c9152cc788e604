"""Words and their tags become rows: which of a word's pieces carries its tag, and back from pieces to words.

Tags come one to a word, BERT reads pieces. One piece must speak for its word: the *first*, as in Devlin et al. (2019,
section 5.3), or the *last*; with *all*, the first speaks and the others are trained too, as the inside of the entity.
Every other token has the label `IGNORED`, which no loss counts.

*BIO*: "B-" begins an entity of a kind, "I-" goes on with it, "O" is outside (after Ramshaw and Marcus 1995, "Text
chunking using transformation-based learning", who write "B-" only where two touch: IOB1, see `as_bio`). Left out on
purpose: entities inside entities, a trained layer for transitions (a CRF). Taught in chapter 09.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from torch import Tensor

from bertmini.config import IGNORED
from bertmini.data.batches import Row
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.metrics import entities

Labelled = Literal["first", "all", "last"]
LABELLED: tuple[Labelled, ...] = get_args(Labelled)
ENCODED_AT_ONCE = 1_000


class TaggedWords(NamedTuple):
    """A sentence: its words and a BIO tag for each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


class TaggedRows(NamedTuple):
    """Sentences as a model reads them, and for each of their words the token that speaks for it: None if it was cut."""

    rows: list[Row]
    places: list[list[int | None]]


def tag_labels(sentences: Sequence[TaggedWords]) -> tuple[str, ...]:
    """List the tags of all kinds that occur: "O", then "B-" and "I-" of each kind; a tag's place is its number.

    Raises `ValueError` if no word is tagged.

    >>> tag_labels([TaggedWords(("ada", "sleeps"), ("B-PER", "O"))])
    ('O', 'B-PER', 'I-PER')
    """
    kinds = sorted({tag[2:] for sentence in sentences for tag in sentence.tags if tag != "O"})
    if not kinds:
        raise ValueError(f"all words of {len(sentences)} sentences have the tag O: there is no entity to learn")
    return ("O", *(f"{mark}-{kind}" for kind in kinds for mark in "BI"))


def align_tags(
    tags: Sequence[str], word_ids: Sequence[int | None], *, labelled: Labelled = "first"
) -> list[str | None]:
    """Give each token the tag that it is trained on, None where it is ignored; `word_ids` as in `Encoding`.

    >>> align_tags(["O", "B-LOC"], [None, 0, 1, 1, None])
    [None, 'O', 'B-LOC', None, None]
    >>> align_tags(["O", "B-LOC"], [None, 0, 1, 1, None], labelled="all")
    [None, 'O', 'B-LOC', 'I-LOC', None]
    """
    aligned: list[str | None] = [None] * len(word_ids)
    for word, place in enumerate(word_places(word_ids, len(tags), labelled=labelled)):
        if place is not None:
            aligned[place] = tags[word]
    if labelled == "all":
        for place, owner in enumerate(word_ids):
            if owner is not None and aligned[place] is None:
                aligned[place] = "O" if tags[owner] == "O" else f"I-{tags[owner][2:]}"
    return aligned


def word_places(word_ids: Sequence[int | None], words: int, *, labelled: Labelled = "first") -> list[int | None]:
    """For each of `words` words the token that speaks for it; None for a word of which no piece is there.

    >>> word_places([None, 0, 1, 1, None], 3), word_places([None, 0, 1, 1, None], 3, labelled="last")
    ([1, 2, None], [1, 3, None])
    """
    if labelled not in LABELLED:
        raise ValueError(f"labelled is {labelled!r}; choose one of {', '.join(LABELLED)}")
    places: list[int | None] = [None] * words
    for place, word in enumerate(word_ids):
        if word is not None and (places[word] is None or labelled == "last"):
            places[word] = place
    return places


def tagging_rows(
    sentences: Sequence[TaggedWords],
    tokenizer: WordPieceTokenizer,
    labels: Sequence[str],
    *,
    max_length: int,
    labelled: Labelled = "first",
) -> TaggedRows:
    """Turn sentences into rows of at most `max_length` tokens; `labels` of a row has one number per token.

    What does not fit is cut from the end, and `places` tells it. Raises `ValueError` for a sentence with more or fewer
    tags than words, or with a tag that is none of `labels`.
    """
    number = {label: i for i, label in enumerate(labels)}
    made = TaggedRows([], [])
    for i in range(0, len(sentences), ENCODED_AT_ONCE):
        part = sentences[i : i + ENCODED_AT_ONCE]
        encoded = tokenizer.encode_words([sentence.words for sentence in part], max_length=max_length)
        for (words, tags), encoding in zip(part, encoded, strict=True):
            if len(words) != len(tags):
                raise ValueError(
                    f"{len(words)} words, {len(tags)} tags (of {' '.join(words)[:40]!r}): expected as many"
                )
            if strange := [tag for tag in tags if tag not in number]:
                raise ValueError(f"tag {strange[0]!r} (of {' '.join(words)[:40]!r}) is none of {', '.join(labels)}")
            aligned = align_tags(tags, encoding.word_ids, labelled=labelled)
            marks = [IGNORED if tag is None else number[tag] for tag in aligned]
            made.rows.append({"input_ids": encoding.ids, "token_type_ids": encoding.type_ids, "labels": marks})
            made.places.append(word_places(encoding.word_ids, len(words), labelled=labelled))
    return made


def may_follow(tag: str, before: str = "O") -> bool:
    """Whether BIO allows `tag` after `before`; a sentence begins as if after an "O".

    >>> may_follow("I-PER", "B-PER"), may_follow("I-PER", "O"), may_follow("I-PER", "B-LOC"), may_follow("B-PER", "O")
    (True, False, False, True)
    """
    return not tag.startswith("I-") or (before != "O" and before[2:] == tag[2:])


def illegal_tags(tags: Sequence[str]) -> int:
    """How many tags of a sentence BIO does not allow after the one before."""
    return sum(not may_follow(tag, before) for before, tag in zip(["O", *tags], tags, strict=False))


def as_bio(tags: Sequence[str]) -> list[str]:
    """The same entities in BIO: an "I-" that begins one is written "B-"; so the older IOB1 is read too."""
    written = ["O"] * len(tags)
    for kind, begin, end in entities(tags):
        written[begin:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - begin - 1)]
    return written


def viterbi(scores: Tensor, labels: Sequence[str]) -> list[str]:
    """The tags of a sentence with the greatest sum of `scores` (W, C) among those that BIO allows.

    `scores` are logits or log-probabilities, one row a word. Forney 1973, "The Viterbi algorithm": the best way to each
    tag is a best way to one of the tags before.

    >>> from torch import tensor
    >>> viterbi(tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 3.0]]), ("O", "B-PER", "I-PER"))
    ['B-PER', 'I-PER']
    """
    if not len(scores):
        return []
    forbidden = scores.new_tensor([[not may_follow(tag, before) for tag in labels] for before in labels]).bool()
    start = scores.new_tensor([not may_follow(tag) for tag in labels]).bool()
    best = scores[0].masked_fill(start, -float("inf"))  # (C,) of the ways that end in each tag
    came_from: list[Tensor] = []
    for word in scores[1:]:
        reached, origin = (best[:, None].masked_fill(forbidden, -float("inf"))).max(0)
        came_from.append(origin)
        best = reached + word
    path = [int(best.argmax())]
    for origin in reversed(came_from):
        path.append(int(origin[path[-1]]))
    return [labels[i] for i in reversed(path)]
