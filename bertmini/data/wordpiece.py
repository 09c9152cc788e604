"""WordPiece: text becomes the numbers that BERT reads, and back.

Cleaning (control characters out, Chinese characters set apart, for uncased models lower case without accents),
splitting at spaces and punctuation, then each word into the longest pieces that the vocabulary has, from the left. What
no pieces spell is `[UNK]`. Source: Devlin et al. 2019, section 3; google-research/bert, tokenization.py.

The work is done by the Rust library `tokenizers`, set up as `transformers.BertTokenizer` sets it up: the ids are the
same for every text. The literal text of a special token, say `[MASK]`, is that token, never letters and brackets.
Learning a vocabulary is next door, in `bertmini.data.vocabulary`.

Left out on purpose: padding (the batch makers do it), other truncation than the longer text first.
Taught in chapter 02.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, overload

from tokenizers import Tokenizer, decoders
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from bertmini.config import CLS, SEP, SPECIAL_TOKENS, UNK
from bertmini.data.tokenizer_files import NAMED, read_options, read_pieces
from bertmini.data.vocabulary import MAX_WORD_CHARS, fold_words, learn_pieces, not_text, number_pieces
from bertmini.files import find_checkpoint, write_atomically


@dataclass(frozen=True, slots=True)
class Encoding:
    """One text, or one pair, as BERT reads it. All lists have one entry per token."""

    ids: list[int]
    """Rows of the embedding table: the model's `input_ids`."""
    type_ids: list[int]
    """0 in the first text, 1 in the second: the model's `token_type_ids`."""
    tokens: list[str]
    """The pieces, `##` where one continues a word."""
    offsets: list[tuple[int, int]]
    """Where each token stands in its original text, in characters, end excluded; (0, 0) for an added special token."""
    word_ids: list[int | None]
    """Which word of its text each token belongs to; None for a special token."""


class WordPieceTokenizer:
    """Text to ids and back, with a given vocabulary.

    Make one with `train` (from text), `from_vocab` (from pieces) or `from_pretrained` (from a folder).

    >>> tokenizer = WordPieceTokenizer.from_vocab([*SPECIAL_TOKENS, "the", "lob", "##ster", "##s"])
    >>> tokenizer.encode("The lobsters").tokens
    ['[CLS]', 'the', 'lob', '##ster', '##s', '[SEP]']
    """

    pad_token, unk_token, cls_token, sep_token, mask_token = SPECIAL_TOKENS

    def __init__(self, backend: Tokenizer, options: dict[str, Any]) -> None:
        """Wrap a `tokenizers.Tokenizer`; `options` are tokenizer_config.json's."""
        self.backend = backend
        self.options = options
        self.vocab: dict[str, int] = backend.get_vocab()
        self.pieces: list[str] = sorted(self.vocab, key=self.vocab.__getitem__)
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = (self.vocab[t] for t in SPECIAL_TOKENS)
        self.special_ids = frozenset(self.vocab[token] for token in SPECIAL_TOKENS)

    # ---- making one ----

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        min_frequency: int = 2,
        exact: bool = True,
    ) -> Self:
        """Learn a vocabulary from `texts` (read once, so a generator will do); see `learn_pieces`, also for errors.

        The special tokens get the ids 0 to 4. Merges are chosen by frequency, as byte-pair encoding does. `lowercase`
        folds case; `strip_accents` makes é an e (None: where case is folded, unless the text has words that differ in
        nothing else, see `needs_accents`).
        """
        words, strip = fold_words(texts, lowercase=lowercase, strip_accents=strip_accents)
        pieces = learn_pieces(words, vocab_size, min_frequency=min_frequency, exact=exact)
        return cls.from_vocab(pieces, lowercase=lowercase, strip_accents=None if strip == lowercase else strip)

    @classmethod
    def from_vocab(
        cls,
        pieces: Sequence[str],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        tokenize_chinese_chars: bool = True,
    ) -> Self:
        """A tokenizer with these `pieces`; a piece's place in the list is its id.

        The five special tokens must be among them, in any place. `lowercase` folds case first (the uncased models);
        `strip_accents` makes é an e (None: where case is folded); with `tokenize_chinese_chars` each Chinese character
        is a word of its own.

        Raises `ValueError` if a special token is missing, and if a piece stands twice or holds a line break.
        """
        vocab = number_pieces(pieces)
        options = {
            "do_lower_case": lowercase,
            "strip_accents": strip_accents,
            "tokenize_chinese_chars": tokenize_chinese_chars,
        }
        backend = Tokenizer(WordPiece(vocab, unk_token=UNK, max_input_chars_per_word=MAX_WORD_CHARS))
        backend.normalizer = BertNormalizer(
            lowercase=lowercase, strip_accents=strip_accents, handle_chinese_chars=tokenize_chinese_chars
        )
        backend.pre_tokenizer = BertPreTokenizer()
        backend.post_processor = TemplateProcessing(
            single=f"{CLS}:0 $A:0 {SEP}:0",
            pair=f"{CLS}:0 $A:0 {SEP}:0 $B:1 {SEP}:1",
            special_tokens=[(token, vocab[token]) for token in (CLS, SEP)],
        )
        backend.decoder = decoders.WordPiece(prefix="##")
        backend.add_special_tokens(list(SPECIAL_TOKENS))
        return cls(backend, options)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Read a folder that we or Hugging Face wrote: vocab.txt or tokenizer.json, and tokenizer_config.json if there.

        `folder` may be the name of a model that comes with the package: "english", see `files.find_checkpoint`.
        Without tokenizer_config.json the text is lower-cased, as transformers does it.

        Raises `ValueError` for a folder without a vocabulary, or with one that is not BERT's; see `tokenizer_files`.
        """
        folder = find_checkpoint(folder)
        return cls.from_vocab(read_pieces(folder), **read_options(folder))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write vocab.txt, tokenizer.json and tokenizer_config.json, each whole or not at all.

        `transformers.AutoTokenizer.from_pretrained(folder)` then gives the same ids as we do.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._set_truncation(None)
        config = {"tokenizer_class": "BertTokenizer", **self.options, **NAMED}
        write_atomically(folder / "vocab.txt", "".join(f"{piece}\n" for piece in self.pieces))
        write_atomically(folder / "tokenizer.json", self.backend.to_str(pretty=True) + "\n")
        write_atomically(folder / "tokenizer_config.json", json.dumps(config, indent=2) + "\n")

    # ---- text to ids ----

    def encode(
        self, text: str, pair: str | None = None, *, max_length: int | None = None, add_special_tokens: bool = True
    ) -> Encoding:
        """`[CLS] text [SEP]`, or `[CLS] text [SEP] pair [SEP]`.

        An empty `pair` is a second text too. At most `max_length` tokens, special ones included, are left: what is too
        much is taken from the end of the longer text, and when both are equally long from each in turn
        ("longest_first" in transformers). Without `add_special_tokens`, `[CLS]` and `[SEP]` are left out.

        Raises `ValueError` for half a surrogate pair in the text, and for a `max_length` too small for the special
        tokens.
        """
        items = [text] if pair is None else [(text, pair)]
        return self.encode_batch(items, max_length=max_length, add_special_tokens=add_special_tokens)[0]

    def encode_batch(
        self,
        texts: Sequence[str] | Sequence[tuple[str, str]],
        *,
        max_length: int | None = None,
        add_special_tokens: bool = True,
    ) -> list[Encoding]:
        """`encode` for many texts or pairs at once, on all cores."""
        pairs = any(isinstance(item, tuple) for item in texts)
        self._set_truncation(max_length, self.backend.num_special_tokens_to_add(pairs) if add_special_tokens else 1)
        return self._encodings(texts, add_special_tokens=add_special_tokens)

    def encode_words(self, sentences: Sequence[Sequence[str]], *, max_length: int | None = None) -> list[Encoding]:
        """`encode_batch` for sentences whose words are given: `word_ids` count these words, also where one is split.

        A word that leaves no piece, such as an invisible character, has none; `offsets` count inside the word.
        """
        if (text := next((words for words in sentences if isinstance(words, str)), None)) is not None:
            raise ValueError(f"{text[:40]!r} is one text: expected sentences as lists of their words")
        self._set_truncation(max_length, self.backend.num_special_tokens_to_add(False))
        return self._encodings([tuple(words) for words in sentences], is_pretokenized=True)

    def _encodings(self, items: Sequence[Any], **how: bool) -> list[Encoding]:
        try:
            encodings = self.backend.encode_batch(items, **how)
        except TypeError:
            raise not_text(items) from None
        return [Encoding(e.ids, e.type_ids, e.tokens, e.offsets, e.word_ids) for e in encodings]

    def encode_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids alone, nothing added and nothing cut: what pretraining needs, a third faster."""
        self._set_truncation(None)
        try:
            encodings = self.backend.encode_batch_fast(texts, add_special_tokens=False)
        except TypeError:
            raise not_text(texts) from None
        return [encoding.ids for encoding in encodings]

    def tokenize(self, text: str) -> list[str]:
        """The pieces of `text`, without special tokens around them."""
        return self.encode(text, add_special_tokens=False).tokens

    # ---- ids to text ----

    def decode(self, ids: Iterable[int], *, skip_special_tokens: bool = True) -> str:
        """Text again: pieces joined, single spaces, none before punctuation. Case and accents that were folded stay so.

        Raises `ValueError` for an id that the vocabulary does not have.
        """
        ids = [self._checked_id(i) for i in ids]
        return str(self.backend.decode(ids, skip_special_tokens=skip_special_tokens))

    @overload
    def convert_tokens_to_ids(self, tokens: str) -> int: ...
    @overload
    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]: ...
    def convert_tokens_to_ids(self, tokens: str | list[str]) -> int | list[int]:
        """The id of a piece, or of each piece; the id of `[UNK]` for a string that is no piece."""
        if isinstance(tokens, str):
            return self.vocab.get(tokens, self.unk_id)
        return [self.vocab.get(token, self.unk_id) for token in tokens]

    @overload
    def convert_ids_to_tokens(self, ids: int) -> str: ...
    @overload
    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]: ...
    def convert_ids_to_tokens(self, ids: int | Iterable[int]) -> str | list[str]:
        """The piece with this id, or each of them. Raises `ValueError` for an id that the vocabulary does not have."""
        if isinstance(ids, int):
            return self.pieces[self._checked_id(ids)]
        return [self.pieces[self._checked_id(i)] for i in ids]

    def __len__(self) -> int:
        """How many pieces there are: the model's `vocab_size`."""
        return len(self.pieces)

    def __repr__(self) -> str:
        """Say what matters about this tokenizer."""
        return f"WordPieceTokenizer({len(self)} pieces, lowercase={self.options['do_lower_case']})"

    # ---- inside ----

    def _set_truncation(self, max_length: int | None, least: int = 0) -> None:
        """Tell the Rust side, only when something changes. `least`: the smallest `max_length` that makes sense."""
        if max_length is not None and max_length < least:
            raise ValueError(f"max_length={max_length} is too small: expected {least} or more, special tokens counted")
        current = self.backend.truncation
        if max_length is None and current is not None:
            self.backend.no_truncation()
        elif max_length is not None and (current is None or current["max_length"] != max_length):
            self.backend.enable_truncation(max_length, strategy="longest_first")

    def _checked_id(self, index: int) -> int:
        if 0 <= index < len(self.pieces):
            return index
        hint = "; -100 marks a position without a label, it is no token" if index == -100 else ""
        raise ValueError(f"id {index} is not in this vocabulary: expected 0 to {len(self.pieces) - 1}{hint}")
