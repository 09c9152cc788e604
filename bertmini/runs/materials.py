"""From a corpus to what training needs: a tokenizer, an endless stream of batches, and an evaluation on held-out text.

One document in twenty is held out, chosen by a checksum of its text: training never meets it, nor a copy of it.
Taught in chapter 07.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from bertmini.data.corpora.sources import Corpus, ListCorpus, is_held_out, open_corpus
from bertmini.data.corpora.text_files import Document
from bertmini.data.masking import Masking
from bertmini.data.pretraining import PairSource, PretrainingStream, TextPairs
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.runs.held_out import Evaluation, count_pieces
from bertmini.runs.settings import DEFAULT_VOCAB_SIZE, MICROWORLD, PretrainingSettings

VOCABULARY_CHARS = 20_000_000  # the vocabulary is learned from the beginning of a large corpus
COUNTED_CHARS = 2_000_000  # and the unigram frequencies
HELD_OUT_CHARS = 200_000
EVALUATION_BATCHES = 24
EVALUATION_SEED = 1_000_003  # masks and pairs of the evaluation are the same for every run


class Materials(NamedTuple):
    """What a run is made of, apart from the model; `examples` are held-out sentences, or pairs, to fill blanks in."""

    tokenizer: WordPieceTokenizer
    stream: PretrainingStream
    evaluation: Evaluation
    examples: Sequence[tuple[str, str | None]]
    note: str = ""


def text_materials(
    settings: PretrainingSettings, tokenizer: WordPieceTokenizer | None = None, corpus: Corpus | None = None
) -> Materials:
    """Make what a run on text needs; learn a vocabulary unless a tokenizer is given, open the corpus unless it is open.

    Raises `ValueError` for unusable text.
    """
    corpus = corpus or open_corpus(settings.corpus)
    held_out, keep, note = split(corpus)
    if tokenizer is None:
        sentences = (line for document in take(corpus, keep, VOCABULARY_CHARS) for line in document)
        wanted = settings.vocab_size
        tokenizer = WordPieceTokenizer.train(
            sentences,
            wanted or DEFAULT_VOCAB_SIZE,
            lowercase=not settings.cased,
            strip_accents=False if settings.keep_accents else None,
            exact=wanted is not None,
        )
    single = settings.words_only
    source = TextPairs(corpus, tokenizer, max_length=settings.max_length, keep=keep, single=single)
    evaluation = evaluate_text(corpus, held_out, keep, tokenizer, settings.max_length, single=single)
    if tokenizer.options["strip_accents"] is False and not settings.keep_accents:
        kept = "accents and vowel signs are kept, since this text has words that differ in nothing else"
        note = f"{note}; {kept}" if note else kept
    examples = [(line, None) for document in held_out for line in document if 40 < len(line) < 90]
    return Materials(tokenizer, make_stream(source, tokenizer, settings), evaluation, examples, note)


def split(corpus: Corpus) -> tuple[list[Document], Callable[[Document], bool], str]:
    """Give the held-out documents, which documents to train on, and a note where nothing can be held out."""
    held_out = list(take(corpus, is_held_out, HELD_OUT_CHARS))
    if sum(map(len, held_out)) > 1 and any(take(corpus, is_training, 1)):
        return held_out, is_training, ""
    note = "too few documents to hold one out: the figures are those of the training text itself"
    return list(take(corpus, bool, HELD_OUT_CHARS)), bool, note


def make_stream(source: PairSource, tokenizer: WordPieceTokenizer, settings: PretrainingSettings) -> PretrainingStream:
    """Mask, pack and batch a source of pairs as the settings say."""
    masking = partial(Masking, tokenizer.pieces, whole_words=settings.whole_words)
    return PretrainingStream(
        source,
        tokenizer,
        masking(),
        batch_size=settings.batch_size,
        row_length=settings.max_length,
        packed=settings.corpus != MICROWORLD,  # its pairs are so short that rows of one pair are quicker
        seed=settings.seed,
        early_masking=masking(rate=0.3, mask_share=0.7, random_share=0.1),  # twice as many scored, more of them kept
        early_batches=int(settings.early_share * settings.steps),
    )


def evaluate_text(
    corpus: Corpus,
    held_out: list[Document],
    keep: Callable[[Document], bool],
    tokenizer: WordPieceTokenizer,
    max_length: int,
    *,
    single: bool = False,
) -> Evaluation:
    """Make the evaluation on held-out documents, with the piece frequencies of the training text beside it."""
    source = TextPairs(ListCorpus(held_out), tokenizer, max_length=max_length, single=single)
    masking = Masking(tokenizer.pieces)
    stream = PretrainingStream(source, tokenizer, masking, batch_size=32, row_length=max_length, seed=EVALUATION_SEED)
    training = [line for document in take(corpus, keep, COUNTED_CHARS) for line in document]
    counts = count_pieces(tokenizer.encode_ids(training), len(tokenizer))
    return Evaluation(list(islice(stream, EVALUATION_BATCHES)), counts)


def evaluate_corpus(
    spec: str, tokenizer: WordPieceTokenizer, *, max_length: int, single: bool = False
) -> tuple[Evaluation, str]:
    """Open a corpus and make its evaluation for a given tokenizer, and a note where nothing is held out."""
    if not spec.strip():  # as in `PretrainingSettings`
        raise ValueError(f"corpus is {spec!r}; name a text, or . for the current folder")
    corpus = open_corpus(spec)
    held_out, keep, note = split(corpus)
    return evaluate_text(corpus, held_out, keep, tokenizer, max_length, single=single), note


def is_training(document: Document) -> bool:
    """Say whether a document is to be trained on."""
    return not is_held_out(document)


def take(corpus: Corpus, keep: Callable[[Document], bool], chars: int) -> Iterator[Document]:
    """Read documents from the beginning, those that `keep` takes, until they hold `chars` characters."""
    position, taken = None, 0
    while taken < chars:
        documents, position = corpus.read(position, 1_000_000)
        for document in filter(keep, documents):
            yield document
            taken += sum(map(len, document))
        if position is None:
            return
