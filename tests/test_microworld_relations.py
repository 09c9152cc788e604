"""Relations: worked out by hand for a few pairs, and true of thousands by rules that read the words alone."""

from collections import Counter
from dataclasses import replace

import pytest

from bertmini.microworld import World, WorldPair, split_generator
from bertmini.microworld.compile import Label
from bertmini.microworld.relations import NAMES, Relation, relations, words_of


@pytest.fixture(scope="module")
def pairs() -> list[WorldPair]:
    return World.default().sample_pairs(4_000, generator=split_generator("test"))


def row(pair: WorldPair) -> list[str]:
    return ["[CLS]", *pair.pieces[0], "[SEP]", *pair.pieces[1], "[SEP]"]


def named(pairs: list[WorldPair], name: str) -> list[tuple[WorldPair, Relation]]:
    found = [(pair, relation) for pair in pairs for relation in relations(pair) if relation.name == name]
    assert len(found) > 30
    return found


def make_pair(first: str, second: str, slots: tuple[str, str], label: int = 0) -> WorldPair:
    """A pair written by hand: its pieces and, word for word, the rules that said them."""
    pieces = tuple(tuple(sentence.split()) for sentence in (first, second))
    labels = tuple(tuple(Label(slot, "O", 0) for slot in sentence.split()) for sentence in slots)
    return WorldPair(first, second, label, ("", ""), pieces, labels)  # type: ignore[arg-type]


BOATS = make_pair(
    "ada saw the boat ##s .",
    "then she drank the old tea at noon .",
    ("First[she] Saw the Noun[river] ##s .", "Marker[second] pronoun work the Size Object[drank] at noon ."),
)


def test_relations_of_a_story_are_those_worked_out_by_hand() -> None:
    found = {(relation.name, relation.dependent.places, relation.head.places) for relation in relations(BOATS)}
    assert found == {
        ("article → noun", (3,), (4, 5)),
        ("subject → verb", (1,), (2,)),
        ("object → verb", (4, 5), (2,)),
        ("article → noun", (11,), (13,)),
        ("subject → verb", (9,), (10,)),
        ("object → verb", (13,), (10,)),
        ("pronoun → name", (9,), (1,)),
    }


def test_nothing_goes_across_when_the_second_sentence_does_not_follow() -> None:
    names = {relation.name for relation in relations(replace(BOATS, label=1))}
    assert names == {"article → noun", "subject → verb", "object → verb"}


def test_subject_is_the_first_noun_whatever_stands_between() -> None:
    pair = make_pair(
        "the rose near the mole ##s were late .",
        "it was a long day .",
        ("the Noun[garden] Near the Noun[garden] ##s Be[one] State[garden] .", "it was a long day ."),
    )
    verbs = {relation.name: relation for relation in relations(pair) if relation.head.places != (14,)}
    assert verbs["subject → be"].dependent.text == "rose"
    assert verbs["subject → be"].head.places == (7,)
    assert verbs["state → subject"].head.text == "rose"


def test_words_are_the_row_cut_at_spaces(pairs: list[WorldPair]) -> None:
    for pair in pairs[:500]:
        tokens = row(pair)
        words = [word for sentence in words_of(pair) for word in sentence]
        assert [place for word in words for place in word.places] == [
            place for place, token in enumerate(tokens) if token not in ("[CLS]", "[SEP]")
        ]
        for word in words:
            assert word.text == "".join(tokens[place].removeprefix("##") for place in word.places)


def test_pronouns_have_the_gender_of_their_names(pairs: list[WorldPair]) -> None:
    gender = {"ada": "she", "bea": "she", "clara": "she", "bruno": "he", "hugo": "he", "otto": "he"}
    for _, relation in named(pairs, "pronoun → name"):
        assert gender.get(relation.head.text, relation.dependent.text) == relation.dependent.text
    for _, relation in named(pairs, "pronoun → earlier pronoun"):
        assert relation.head.text == relation.dependent.text


def test_subjects_agree_with_their_verbs(pairs: list[WorldPair]) -> None:
    plural = {"were", "are", "seem"}
    for _, relation in named(pairs, "subject → be"):
        assert (len(relation.dependent.places) == 2) == (relation.head.text in plural)


def test_objects_fit_their_verbs(pairs: list[WorldPair]) -> None:
    fits = {"read": "map book poem", "drank": "tea milk coffee", "fed": "goat cat parrot", "fixed": "clock lamp kettle"}
    for _, relation in named(pairs, "object → verb"):
        if relation.head.text in fits:
            assert relation.dependent.text in fits[relation.head.text]


def test_articles_stand_close_before_their_nouns(pairs: list[WorldPair]) -> None:
    distances = Counter(r.head.places[0] - r.dependent.places[0] for _, r in named(pairs, "article → noun"))
    assert set(distances) == {1, 2}


def test_every_name_occurs_and_no_other(pairs: list[WorldPair]) -> None:
    assert {relation.name for pair in pairs for relation in relations(pair)} == set(NAMES)
    for pair in pairs:
        found = [(relation.name, relation.dependent.places) for relation in relations(pair)]
        assert len(found) == len(set(found))  # a dependent has one head in each relation
