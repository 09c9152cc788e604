"""Which word belongs to which: the true relations of a sampled pair, read off the rules that said its words.

The idea: Clark et al. (2019, "What does BERT look at?", section 4) compare heads with what people annotated. Here the
grammar itself knows what belongs to what, so every relation is exact and costs nothing. A relation has a *dependent*
and a *head*, as in a dependency parse: an object depends on its verb, a subject too, an article on its noun. Besides
syntax there is coreference (a pronoun and its name, *it* and the thing that a review is about), and there are words
that decide others across the sentence boundary (a verdict depends on the praise). A word of two pieces, `boat ##s`, is
one word.

Places are those of the row `[CLS] first [SEP] second [SEP]`, so that they index its attention.
Left out on purpose: news, quizzes and reports, which are six documents in a hundred.
Taught in chapter 13.
"""

from collections.abc import Sequence
from typing import NamedTuple

from bertmini.microworld.compile import Label
from bertmini.microworld.sampling import WorldPair

Span = tuple[int, ...]  # the places of a word's pieces

ARTICLES = {"the", "a"}
NOUNS = {"Noun", "Object", "Item", "Public", "river", "garden", "office", "day"}  # with at most one word before them
# Relation, rule of the dependent, rule of the head; where a sentence has several words of a rule, its first counts.
WITHIN = (
    ("subject → verb", "First", "Saw"),
    ("subject → verb", "pronoun", "work"),
    ("subject → be", "Noun", "Be"),
    ("subject → verb", "Item", "was"),
    ("subject → verb", "Public", "Did"),
    ("object → verb", "Noun", "Saw"),
    ("object → verb", "Object", "work"),
    ("object → verb", "it", "Did"),
    ("state → subject", "State", "Noun"),
)
ACROSS = (  # the dependent stands in the second sentence, the head in the first
    ("pronoun → name", "pronoun", "First"),
    ("pronoun → earlier pronoun", "pronoun", "pronoun"),
    ("it → thing", "it", "Item"),
    ("verdict → praise", "Did", "Common"),
    ("verdict → praise", "Did", "Rare"),
)
NAMES = tuple(dict.fromkeys(["article → noun", *(name for name, _, _ in (*WITHIN, *ACROSS))]))


class Word(NamedTuple):
    """A word: the rule that said it (without features), its text, and the places of its pieces in the row."""

    rule: str
    text: str
    places: Span


class Relation(NamedTuple):
    """What it is called, the word that depends, and the word that it depends on."""

    name: str
    dependent: Word
    head: Word


def words_of(pair: WorldPair) -> tuple[list[Word], list[Word]]:
    """The words of both sentences, with their places in the row `[CLS] first [SEP] second [SEP]`."""
    return (
        _words(pair.pieces[0], pair.labels[0], 1),
        _words(pair.pieces[1], pair.labels[1], len(pair.pieces[0]) + 2),
    )


def relations(pair: WorldPair) -> list[Relation]:
    """All relations of a pair; those across the two sentences only if the second really follows the first (label 0).

    >>> from bertmini.microworld import World, split_generator
    >>> pairs = World.default().sample_pairs(200, generator=split_generator("test"))
    >>> found = [relation for pair in pairs for relation in relations(pair) if relation.name == "pronoun → name"]
    >>> sorted({relation.dependent.text for relation in found})
    ['he', 'she']
    """
    first, second = words_of(pair)
    found = [relation for words in (first, second) for relation in (*_articles(words), *_match(WITHIN, words, words))]
    return found + _match(ACROSS, second, first) if pair.label == 0 else found


def _words(pieces: Sequence[str], labels: Sequence[Label], begin: int) -> list[Word]:
    words: list[Word] = []
    for place, (piece, label) in enumerate(zip(pieces, labels, strict=True), start=begin):
        if piece.startswith("##"):
            last = words.pop()
            words.append(last._replace(text=last.text + piece[2:], places=(*last.places, place)))
        else:
            words.append(Word(label.slot.partition("[")[0], piece, (place,)))
    return words


def _articles(words: list[Word]) -> list[Relation]:
    found = []
    for number, word in enumerate(words):
        nouns = [other for other in words[number + 1 : number + 3] if other.rule in NOUNS]
        if word.text in ARTICLES and nouns:
            found.append(Relation("article → noun", word, nouns[0]))
    return found


def _match(table: Sequence[tuple[str, str, str]], dependents: list[Word], heads: list[Word]) -> list[Relation]:
    """Every line of the table whose two rules both said a word here; of a name, the first head only."""
    depends = {word.rule: word for word in reversed(dependents)}
    governs = {word.rule: word for word in reversed(heads)}
    found = [
        Relation(name, depends[dependent], governs[head])
        for name, dependent, head in table
        if dependent in depends and head in governs
    ]
    first: dict[tuple[str, Span], Relation] = {}
    for relation in found:
        key = relation.name, relation.dependent.places
        if key not in first or relation.head.places < first[key].head.places:
            first[key] = relation
    return list(first.values())
