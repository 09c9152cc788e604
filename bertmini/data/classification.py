"""Labelled texts become rows: number the labels, encode the texts. `bertmini.data.batches` makes the batches.

Taught in chapter 08.
"""

from collections.abc import Sequence

from bertmini.data.batches import Row
from bertmini.data.tables import LabelledText
from bertmini.data.wordpiece import WordPieceTokenizer

ENCODED_AT_ONCE = 1_000


def classification_rows(
    examples: Sequence[LabelledText], tokenizer: WordPieceTokenizer, labels: Sequence[str], *, max_length: int
) -> list[Row]:
    """Turn examples into rows of at most `max_length` tokens, the longer text of a pair cut first.

    `labels` of a row is the number of its class, its place in `labels`. Raises `ValueError` for an example whose label
    is none of them, and for a mixture of texts and pairs.
    """
    number = {label: i for i, label in enumerate(labels)}
    for text, _, label in examples:
        if label not in number:
            start = text if len(text) <= 40 else f"{text[:37]}..."
            raise ValueError(f"label {label!r} (of {start!r}) is none of {', '.join(map(repr, labels))}")
    if len({pair is None for _, pair, _ in examples}) > 1:
        raise ValueError("some examples are single texts and some are pairs: expected one kind")
    rows: list[Row] = []
    for i in range(0, len(examples), ENCODED_AT_ONCE):
        part = examples[i : i + ENCODED_AT_ONCE]
        pairs = [(text, pair) for text, pair, _ in part if pair is not None]
        encoded = tokenizer.encode_batch(pairs or [text for text, _, _ in part], max_length=max_length)
        rows += [
            {"input_ids": encoding.ids, "token_type_ids": encoding.type_ids, "labels": number[label]}
            for encoding, (_, _, label) in zip(encoded, part, strict=True)
        ]
    return rows
