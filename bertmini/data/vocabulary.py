"""A vocabulary: which word pieces are worth a row in the embedding table, learnt from text.

The idea: start from single characters and join, again and again, the two neighbouring pieces that stand together most
often, until the vocabulary is full. A piece that continues a word is written with `##`, so `lobsters` may become
`lob ##ster ##s`.

A fact that few tutorials tell: the trainer of `tokenizers` chooses its merges by *frequency*, exactly as byte-pair
encoding does (Sennrich et al. 2016, section 3.2). The score of the original WordPiece, frequency divided by the
frequencies of the parts (Schuster and Nakajima 2012 choose by likelihood), would pick other merges. Google never
published its trainer, so this is what everybody uses; only the *splitting* of a word, longest piece first, is
WordPiece's own (Devlin et al. 2019, section 3; Wu et al. 2016, section 4.1).

Whether accents are stripped, as the uncased BERTs do, is decided by the text: in English `café` and `cafe` are one
word, but कुल and कल, バス and ハス, й and и are not, and there stripping would join them.

Left out on purpose: joining across spaces, byte fallback, sampling of segmentations.
Taught in chapter 02.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

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

MOST_WORDS = 500_000
"""So many different words are counted at a time; a text with more of them (identifiers, hashes) loses the rarest."""

MARKED_LATIN, MARKED_OTHERS = 2e-3, 1 - CHARACTER_COVERAGE
"""Accents are stripped up to this share of characters that have one: English has fewer than one in 500, German, French
or Vietnamese many more. In other scripts marks are vowels, tones and other letters: what would be a piece, counts."""


def count_words(texts: Iterable[str], normalizer: BertNormalizer) -> Counter[str]:
    """Count the words and punctuation marks of `texts`, read once and never held.

    Memory grows with the number of *different* words only, and with no more than `MOST_WORDS` of them: then the rarer
    half is forgotten, as in lossy counting (Manku and Motwani 2002, section 4.2). Words over `MAX_WORD_CHARS` letters
    are left out: no vocabulary can spell them.
    """
    words: Counter[str] = Counter()
    splitter = BertPreTokenizer()
    for text in texts:
        try:
            split = splitter.pre_tokenize_str(normalizer.normalize_str(text))
        except (TypeError, UnicodeEncodeError):
            raise not_text([text]) from None
        words.update(word for word, _ in split if len(word) <= MAX_WORD_CHARS)
        if len(words) > MOST_WORDS:
            words = Counter(dict(words.most_common(MOST_WORDS // 2)))
    return words


def fold_words(
    texts: Iterable[str], *, lowercase: bool = True, strip_accents: bool | None = None
) -> tuple[Counter[str], bool]:
    """Count the words of `texts` as BERT reads them, and say whether accents were stripped.

    `strip_accents` None: in lower case, and where the text does not need them, see `needs_accents`.
    """
    words = count_words(texts, BertNormalizer(lowercase=lowercase, strip_accents=False))
    strip = (lowercase and not needs_accents(words)) if strip_accents is None else strip_accents
    if strip:  # of one word at a time, which gives the same as of the whole text
        marked = Counter({word: count for word, count in words.items() if not word.isascii()})
        bare = BertNormalizer(lowercase=lowercase, strip_accents=True)
        words -= marked
        for word, count in marked.items():
            for part in count_words([word], bare):
                words[part] += count
    return words, strip


def needs_accents(words: Counter[str]) -> bool:
    """Whether stripping accents would join words that this text keeps apart, judged by its letters and their script.

    >>> needs_accents(Counter("the café of a cook who cooks for cooks".split() * 50 + ["the"] * 10_000))
    False
    >>> needs_accents(Counter("schon schön".split())), needs_accents(Counter("कुल कल".split()))
    (True, True)
    """
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for char in unicodedata.normalize("NFC", word):
            letters[char] += count
    marked: Counter[bool] = Counter()
    for char, count in letters.items():
        decomposed = unicodedata.normalize("NFD", char)
        name = unicodedata.name(decomposed[0], "")
        stripped = char != "".join(part for part in decomposed if unicodedata.category(part) != "Mn")
        if (stripped and decomposed[0].isalpha()) or (unicodedata.category(char) == "Mn" and "VARIATION" not in name):
            marked[name.startswith(("LATIN", "COMBINING"))] += count
    return marked[True] > MARKED_LATIN * letters.total() or marked[False] > MARKED_OTHERS * letters.total()


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


def learn_pieces(words: Counter[str], vocab_size: int, *, min_frequency: int = 2, exact: bool = True) -> list[str]:
    """Learn `vocab_size` word pieces from words: special tokens, characters, then pieces in the order of merging.

    The same text gives the same list in every process. `tokenizers` alone does not promise that: it numbers the `##`
    characters in the order of a randomly seeded hash table, and ties between merges are broken by those numbers. So we
    count the words first, number the alphabet ourselves and hand both to the trainer.

    `words` come from `fold_words`; `vocab_size` counts the special tokens too. Two pieces are joined only if they stand
    together at least `min_frequency` times. Without `exact`, fewer pieces are taken where the text gives no more.

    Raises `ValueError` for a text without a word, and for a vocabulary too small for its characters or larger than the
    text can give.
    """
    if not words:
        raise ValueError("a vocabulary needs text, and this text holds no word: check the path or the iterable")
    start = [*SPECIAL_TOKENS, *alphabet(words)]
    if vocab_size < len(start):
        raise ValueError(
            f"vocab_size={vocab_size} is too small: {len(SPECIAL_TOKENS)} special tokens and the single characters of "
            f"this text need {len(start)} pieces; ask for vocab_size={len(start)} or more"
        )
    most = len(start) + sum(map(len, words))  # each merge makes a word of the text shorter
    trainer = WordPieceTrainer(  # it takes memory for as many pieces as it is asked for
        vocab_size=min(vocab_size, most), min_frequency=min_frequency, special_tokens=start, show_progress=False
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
