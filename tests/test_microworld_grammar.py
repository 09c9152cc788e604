"""The notation, its mistakes, and the promises that the book's own world makes."""

import re
from itertools import pairwise

import pytest
from microworld_brute_force import TINY

from bertmini.config import SPECIAL_TOKENS
from bertmini.microworld import World, split_generator
from bertmini.microworld.grammar import DEFAULT_GRAMMAR
from bertmini.microworld.notation import parse

BASE = """feature mood = good | bad
document view 1.0 = Claim[mood] / Verdict[mood]
Claim[mood] = it was Word[mood] .
Word[good] = 0.6 fine | 0.4 odd
Word[bad] = zipf dull | odd
Verdict[mood] = so it goes .
"""


@pytest.fixture(scope="module")
def world() -> World:
    return World.default()


def test_a_line_becomes_rules_with_exact_probabilities() -> None:
    grammar = parse(BASE)
    good, bad = grammar.rules["Word"]
    assert [(a.probability, a.items[0].name) for a in good.alternatives] == [(0.6, "fine"), (0.4, "odd")]
    assert [a.probability for a in bad.alternatives] == [2 / 3, 1 / 3]
    assert good.parameters == ("good",)
    assert (good.line, bad.line) == (4, 5)
    assert grammar.kinds["view"].share == 1.0
    assert [item.name for item in grammar.kinds["view"].plans[0].texts[0]] == ["Claim", "Verdict"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.6 fine", "0.5 fine", r"line 4: 'Word\[good\]': the probabilities sum to 0.9, expected 1"),
        ("0.4 odd", "odd", r"line 4: .*to every alternative or to none"),
        ("Word[mood] .", "Wrd[mood] .", r"line 3: unknown slot 'Wrd'; did you mean 'Word'"),
        ("was Word[mood]", "was Word[mod]", r"line 3: unknown feature or value 'mod'; did you mean 'mood'"),
        ("was Word[mood]", "was Word", r"line 3: 0 rules fit Word\[\], expected one"),
        ("Word[bad]", "Word[good]", r"line 3: (2 rules fit Word\[good\]|0 rules fit Word\[bad\])"),
        ("it was Word[mood]", "it was Claim[mood]", r"line 3: 'Claim' contains itself"),
        ("0.6 fine | 0.4 odd", "1.0 fine | 0 odd", r"line 4: 'odd' can never be said: its probability is 0"),
        ("so it goes .", "so it goes .\nThing = spade", r"line 7: no document ever reaches 'Thing\[\]' \(spade"),
        ("view 1.0", "view 0.5", r"line 2: the shares of the documents sum to 0.5"),
        ("document view 1.0", "task view", r"says nothing"),
        ("dull | odd", "dull |", r"line 5: an empty alternative"),
        ("zipf dull", "zipf 0.5 dull", r"line 5: zipf gives the probabilities"),
        ("so it goes", "so It[goes", r"line 6: cannot read"),
        ("Claim[mood] =", "Claim[mood =", r"line 3: cannot read"),
        ("so it goes .", "so it goes .\nspade", r"line 7: expected 'NAME = alternative"),
        ("Claim[mood] / ", "Claim[mood] / so ", r"line 2: a document is made of sentences"),
        ("good | bad", "mood | bad", r"'mood' is a feature and also a value"),
        ("so it goes .", "so it goes .\nheld out = mood=ugly", r"held out: 'mood=ugly' is not a feature"),
    ],
)
def test_wrong_worlds_are_refused_by_line(old: str, new: str, message: str) -> None:
    assert old in BASE
    with pytest.raises(ValueError, match=message):
        World(BASE.replace(old, new, 1))
    assert World(BASE).kinds() == ["view"]


def test_vocabulary_is_small_complete_and_begins_with_the_special_pieces(world: World) -> None:
    vocabulary = world.vocabulary()
    assert tuple(vocabulary[:5]) == SPECIAL_TOKENS
    assert 150 <= len(vocabulary) <= 250
    assert len(set(vocabulary)) == len(vocabulary)
    said = {
        p
        for kind in world.kinds()
        for d in world.sample(300, kind=kind, generator=split_generator("train"))
        for sentence in d.pieces
        for p in sentence
    }
    assert said <= set(vocabulary[5:])


def test_greedy_wordpiece_finds_the_pieces_that_the_world_means(world: World) -> None:
    """Longest match first must cut every word as the grammar does, or model and floor would see different pieces."""
    vocabulary = set(world.vocabulary())

    def cut(word: str) -> list[str]:
        pieces, start = [], 0
        while start < len(word):
            ends = [e for e in range(len(word), start, -1) if ("##" if start else "") + word[start:e] in vocabulary]
            pieces.append(("##" if start else "") + word[start : ends[0]])
            start = ends[0]
        return pieces

    for kind in world.kinds():
        for document in world.sample(400, kind=kind, generator=split_generator("validation")):
            for sentence, pieces in zip(document.sentences, document.pieces, strict=True):
                words = re.findall(r"\w+|[.,?]", sentence)
                assert [piece for word in words for piece in cut(word)] == list(pieces)


def test_sizes_fit_the_book(world: World) -> None:
    for kind in world.kinds():
        documents = world.sample(500, kind=kind, generator=split_generator("train", 1))
        sentences = [sentence for d in documents for sentence in d.pieces]
        assert max(map(len, sentences)) <= 19
        if world.grammar.kinds[kind].share:
            assert all(2 <= len(d.sentences) <= 4 for d in documents)
            pairs = [(a, b) for d in documents for a, b in pairwise(d.pieces)]
            assert max(len(a) + len(b) + 3 for a, b in pairs) <= 32
        elif documents[0].pair:
            assert max(sum(map(len, d.pieces)) + 3 for d in documents) <= 32


def test_lexicon_has_forty_good_and_forty_bad_adjectives(world: World) -> None:
    rules = [*world.grammar.rules["Common"], *world.grammar.rules["Rare"]]
    good, bad = (
        {choice.items[0].name for rule in rules if rule.parameters == (mood,) for choice in rule.alternatives}
        for mood in ("good", "bad")
    )
    assert len(good) == len(bad) == 40
    assert not good & bad


def test_every_phenomenon_is_in_the_text() -> None:
    for rule in ("Scene", "Noun", "Opening", "Marker", "Praise", "News", "Question", "Fact", "Report", "Moral"):
        assert re.search(rf"^{rule}\b", DEFAULT_GRAMMAR, re.MULTILINE), rule
    nouns = {
        rule.parameters[0]: {a.items[0].name for a in rule.alternatives}
        for rule in parse(DEFAULT_GRAMMAR).rules["Noun"]
    }
    shared = {noun for a, group in nouns.items() for b, other in nouns.items() if a < b for noun in group & other}
    assert len(shared) >= 2  # polysemy: the same noun in two topics
    assert World(TINY).kinds() == ["story", "view", "polarity", "ask"]
