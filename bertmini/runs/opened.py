"""A checkpoint's two halves, vocabulary and model, compared before anything runs. Taught in chapter 08."""

import warnings
from pathlib import Path

from bertmini.config import BertConfig
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.model.pretrained import read_config


def open_tokenizer(folder: str | Path, config: BertConfig | None = None) -> WordPieceTokenizer:
    """Read a checkpoint's tokenizer and see that it fits the model, whose `config` is read if it is not given.

    A table with more rows than there are pieces may be one that was padded to a round size; it may be a vocab.txt that
    was cut off, too: a warning says so. Raises `ValueError` for more pieces than rows.
    """
    folder = Path(folder)
    tokenizer = WordPieceTokenizer.from_pretrained(folder)
    rows = (config or read_config(folder)).vocab_size
    if len(tokenizer) > rows:
        raise ValueError(
            f"{folder}: the vocabulary has {len(tokenizer)} pieces, but the model's config.json {rows} (vocab_size): "
            "they are not of the same model; copy both again"
        )
    if len(tokenizer) < rows:
        warnings.warn(
            f"{folder}: the vocabulary has {len(tokenizer)} pieces, the model {rows} rows for them; the others are "
            "never used. If nobody padded the table, vocab.txt was cut off",
            stacklevel=2,
        )
    return tokenizer
