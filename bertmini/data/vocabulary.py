"""A vocabulary: which word pieces are worth a row in the embedding table. Learnt from text, or read from a folder.

The idea: start from single characters and join, again and again, the two neighbouring pieces that stand together most
often, until the vocabulary is full. A piece that continues a word is written with `##`, so `lobsters` may become
`lob ##ster ##s`.

A fact that few tutorials tell: the trainer of `tokenizers` chooses its merges by *frequency*, exactly as byte-pair
encoding does (Sennrich et al. 2016, section 3.2). The score of the original WordPiece, frequency divided by the
frequencies of the parts (Schuster and Nakajima 2012 choose by likelihood), would pick other merges. Google never
published its trainer, so this is what everybody uses; only the *splitting* of a word, longest piece first, is
WordPiece's own (Devlin et al. 2019, section 3; Wu et al. 2016, section 4.1).

Left out on purpose: joining across spaces, byte fallback, sampling of segmentations.
Taught in chapter 02.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, WhitespaceSplit
from tokenizers.trainers import WordPieceTrainer

from bertmini.config import SPECIAL_TOKENS, UNK

MAX_WORD_CHARS = 100
"""A longer word is one `[UNK]`, as in Google's BERT."""

CHARACTER_COVERAGE = 0.9999
"""The commonest characters that make up this share of the text become pieces; a word with a rarer one is `[UNK]`.
Otherwise ten thousand symbols, each met once, would fill a vocabulary learnt from the web."""

WORDS_AT_ONCE = 10_000
"""How many copies of a word the trainer is given in one text."""


def count_words(texts: Iterable[str], normalizer: BertNormalizer) -> Counter[str]:
    """Count the words and punctuation marks of `texts`, read once and never held.

    Memory grows with the number of *different* words only. Words over `MAX_WORD_CHARS` letters are left out: no
    vocabulary can spell them.
    """
    words: Counter[str] = Counter()
    splitter = BertPreTokenizer()
    for text in texts:
        try:
            split = splitter.pre_tokenize_str(normalizer.normalize_str(text))
        except (TypeError, UnicodeEncodeError):
            raise not_text([text]) from None
        words.update(word for word, _ in split if len(word) <= MAX_WORD_CHARS)
    return words


def alphabet(words: Counter[str]) -> list[str]:
    """The single-character pieces that spell `words`: `a b c ... ##a ##b ##c ...`, sorted.

    Every character gets its plain piece, since any may begin a new word; `##` pieces exist where they occur.
    """
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for char in word:
            counts[char] += count
    wanted, covered, kept = CHARACTER_COVERAGE * counts.total(), 0, set()
    for char, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if covered >= wanted:
            break
        kept.add(char)
        covered += count
    inner = {char for word in words if kept.issuperset(word) for char in word[1:]}
    return sorted(kept) + [f"##{char}" for char in sorted(inner)]


def learn_pieces(
    texts: Iterable[str], vocab_size: int, *, lowercase: bool = True, min_frequency: int = 2, exact: bool = True
) -> list[str]:
    """Learn `vocab_size` word pieces from `texts`: special tokens, characters, then pieces in the order of merging.

    The same text gives the same list in every process. `tokenizers` alone does not promise that: it numbers the `##`
    characters in the order of a randomly seeded hash table, and ties between merges are broken by those numbers. So we
    count the words first, number the alphabet ourselves and hand both to the trainer.

    `texts` are read once, so a generator will do; `vocab_size` counts the special tokens too. `lowercase` folds case
    and strips accents first, as the uncased BERTs do. Two pieces are joined only if they stand together at least
    `min_frequency` times. Without `exact`, fewer pieces are taken where the text gives no more.

    Raises `ValueError` for a text without a word, and for a vocabulary too small for its characters or larger than the
    text can give.
    """
    words = count_words(texts, BertNormalizer(lowercase=lowercase))
    if not words:
        raise ValueError("a vocabulary needs text, and this text holds no word: check the path or the iterable")
    start = [*SPECIAL_TOKENS, *alphabet(words)]
    if vocab_size < len(start):
        raise ValueError(
            f"vocab_size={vocab_size} is too small: {len(SPECIAL_TOKENS)} special tokens and the single characters of "
            f"this text need {len(start)} pieces; ask for vocab_size={len(start)} or more"
        )
    trainer = WordPieceTrainer(
        vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=start, show_progress=False
    )
    learner = Tokenizer(WordPiece(unk_token=UNK))
    learner.pre_tokenizer = WhitespaceSplit()
    learner.train_from_iterator(_spelled_out(words, set(start)), trainer)
    vocab = learner.get_vocab()
    if exact and len(vocab) < vocab_size:
        raise ValueError(
            f"vocab_size={vocab_size} is more than this text can give: it gives {len(vocab)} pieces with min_frequency="
            f"{min_frequency}; ask for vocab_size={len(vocab)} or less, lower min_frequency, or give more text"
        )
    return sorted(vocab, key=vocab.__getitem__)


def _spelled_out(words: Counter[str], pieces: set[str]) -> Iterator[str]:
    """Say each word as often as it was counted (the trainer takes texts, not counts), unless it cannot be spelled."""
    for word, count in words.items():
        if pieces.issuperset(word):
            yield from repeat(" ".join([word] * WORDS_AT_ONCE), count // WORDS_AT_ONCE)
            yield " ".join([word] * (count % WORDS_AT_ONCE))


def not_text(items: Sequence[object]) -> ValueError:
    """The error that names the first of `items` (texts, or tuples of two) that `tokenizers` cannot take."""
    if isinstance(items, str):
        return ValueError(f"expected a list of texts, got one text, {items[:40]!r}: put it into a list")
    for place, item in enumerate(items):
        for text in item if isinstance(item, tuple) else (item,):
            halves = [at for at, char in enumerate(str(text)) if "\ud800" <= char <= "\udfff"]
            if halves:
                return ValueError(
                    f"item {place} is not Unicode text: half a surrogate pair at character {halves[0]}; "
                    "read files with encoding='utf-8' and without errors='surrogateescape'"
                )
    wrong = next((place for place, item in enumerate(items) if not isinstance(item, str | tuple)), 0)
    return ValueError(f"item {wrong} is {items[wrong]!r}: expected a text, or a tuple of two texts")


def number_pieces(pieces: Sequence[str]) -> dict[str, int]:
    """Piece to id, its place in the list. Raises `ValueError` if BERT could not work with these pieces."""
    vocab = {piece: index for index, piece in enumerate(pieces)}
    missing = [token for token in SPECIAL_TOKENS if token not in vocab]
    if missing:
        raise ValueError(f"the vocabulary has no {', '.join(missing)}: BERT needs each of {', '.join(SPECIAL_TOKENS)}")
    if len(vocab) < len(pieces):
        twice = next(piece for index, piece in enumerate(pieces) if vocab[piece] != index)
        raise ValueError(
            f"the piece {twice!r} stands twice in the vocabulary, as id {list(pieces).index(twice)} and as id "
            f"{vocab[twice]}: an id must have one piece, so remove one and mind that later ids move"
        )
    broken = [piece for piece in pieces if "\n" in piece or "\r" in piece]
    if broken:
        raise ValueError(f"the piece {broken[0]!r} holds a line break, but vocab.txt has one piece per line: remove it")
    return vocab


def read_pieces(folder: Path) -> list[str]:
    """The pieces in a folder's vocab.txt or, where there is none, tokenizer.json, in the order of their ids."""
    if not folder.is_dir():
        raise ValueError(f"no folder {str(folder)!r}: expected one with a vocab.txt; nothing is downloaded by name")
    saved = _read_json(folder / "tokenizer.json")
    kind = saved.get("model", {}).get("type", "WordPiece")
    extra = [token["content"] for token in saved.get("added_tokens", []) if token["content"] not in SPECIAL_TOKENS]
    if kind != "WordPiece" or extra:
        found = f"a {kind} model" if kind != "WordPiece" else f"the added token {extra[0]!r}"
        raise ValueError(f"{folder / 'tokenizer.json'} holds {found}: expected a plain BERT WordPiece vocabulary")
    if (folder / "vocab.txt").is_file():
        try:
            lines = (folder / "vocab.txt").read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{folder / 'vocab.txt'} is not UTF-8 at byte {error.start}: save it as UTF-8") from None
        return [line.removesuffix("\r") for line in lines.removesuffix("\n").split("\n")]
    vocab: dict[str, int] = saved.get("model", {}).get("vocab", {})
    if not vocab:
        raise ValueError(f"{str(folder)!r} holds neither vocab.txt nor tokenizer.json: expected a saved tokenizer")
    if sorted(vocab.values()) != list(range(len(vocab))):
        raise ValueError(
            f"the ids in {folder / 'tokenizer.json'} have holes: expected 0 to {len(vocab) - 1}, each once"
        )
    return sorted(vocab, key=vocab.__getitem__)


def read_options(folder: Path) -> dict[str, Any]:
    """How text is cleaned before it is split: tokenizer_config.json's word, else tokenizer.json's, else as uncased.

    The keys are the keyword arguments of `WordPieceTokenizer.from_vocab`.
    """
    options: dict[str, Any] = {"lowercase": True, "strip_accents": None, "tokenize_chinese_chars": True}
    normalizer = _read_json(folder / "tokenizer.json").get("normalizer") or {}
    config = _read_json(folder / "tokenizer_config.json")
    names = {"do_lower_case": "lowercase", "handle_chinese_chars": "tokenize_chinese_chars"}
    for source in (normalizer, config):
        renamed = {names.get(name, name): value for name, value in source.items()}
        options |= {name: renamed[name] for name in options if name in renamed}
    return options


def _read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; an empty one when there is no file."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}): it may be cut off; save the tokenizer again") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}: expected a JSON object; save the tokenizer again")
    return content
