"""Quizzes: their answers beside the positions that the world gives, and what may be changed without changing them."""

import random
import re

import pytest

from bertmini import WordPieceTokenizer
from bertmini.microworld import World, WorldDocument, split_generator
from bertmini.microworld.quizzes import (
    BOYS,
    FAMILIES,
    GIRLS,
    Quiz,
    distractor,
    library,
    quiz_of,
    with_full_names,
    with_sentence,
)

QUIZ = Quiz("where does ada live?", "ada lives in norton. hugo keeps a cat. he owns a goat.", "norton", 13)


@pytest.fixture(scope="module")
def documents() -> list[WorldDocument]:
    return World.default().sample(500, generator=split_generator("test"), kind="answer")


def test_answers_stand_where_the_world_says(documents: list[WorldDocument]) -> None:
    tokenizer = WordPieceTokenizer.from_vocab(World.default().vocabulary())
    answered = 0
    for document in documents:
        quiz, place = quiz_of(document), document.answer()
        assert (quiz.question, quiz.passage) == (document.text, document.pair)
        assert bool(quiz.answer) == (place is not None)
        if place:
            offsets = tokenizer.encode(quiz.passage, add_special_tokens=False).offsets
            assert (offsets[place[0]][0], offsets[place[1]][1]) == (quiz.begin, quiz.begin + len(quiz.answer))
            assert quiz.passage[quiz.begin :].startswith(quiz.answer)
            answered += 1
    assert 300 < answered < 370  # two in three


def test_family_names_are_those_of_the_world(documents: list[WorldDocument]) -> None:
    said = {word for document in documents for word in re.findall(r"\w+", document.pair or "")}
    assert said & {word for word in said if re.match("(ash|hart|nor)", word)} == set(FAMILIES)
    assert len(FAMILIES) == 18
    assert said >= set(GIRLS + BOYS)


def test_full_names_worked_by_hand() -> None:
    assert with_full_names(QUIZ, {"ada": "ashby", "hugo": "norton"}) == Quiz(
        "where does ada ashby live?",
        "ada ashby lives in norton. hugo norton keeps a cat. he owns a goat.",
        "norton",
        19,
    )


def test_who_is_asked_about(documents: list[WorldDocument]) -> None:
    assert QUIZ.who == "ada"
    assert all(quiz_of(document).who in quiz_of(document).question.strip("?").split() for document in documents)


def test_one_sentence_more() -> None:
    changed = with_sentence(QUIZ, "it was a long day.")
    assert changed.passage.endswith("a goat. it was a long day.")
    assert changed._replace(passage=QUIZ.passage) == QUIZ


def test_a_distractor_answers_another_question(documents: list[WorldDocument]) -> None:
    draw = random.Random(0)
    assert re.fullmatch(r"(bea|clara|bruno|otto) lives in \w+\.", distractor(QUIZ, draw))
    for quiz in map(quiz_of, documents):
        sentence = distractor(quiz, draw)
        who, *_, thing = sentence.strip(".").split()
        assert who != quiz.who
        assert not {who, thing} & set(re.findall(r"\w+", quiz.passage))
        asks_home = " live?" in quiz.question or " home " in quiz.question
        assert (" lives in " in sentence) == asks_home


def test_a_library_answers_every_question_once(documents: list[WorldDocument]) -> None:
    passages, asked = library([quiz_of(document) for document in documents], random.Random(3), size=40, asked=30)
    assert len(passages) == 40
    assert len(asked) == 30
    assert [place for _, place in asked] == sorted({place for _, place in asked})
    for quiz, place in asked:
        assert passages[place] == quiz.passage
        assert quiz.passage[quiz.begin :].startswith(quiz.answer)
        person = re.search(rf"{quiz.who} \w+", quiz.question)
        assert person is not None
        assert [person[0] in passage for passage in passages].count(True) == 1
    assert all(len(re.findall(r"\b(?:ada|bea|clara|bruno|hugo|otto) \w+", passage)) == 2 for passage in passages)
    with pytest.raises(ValueError, match="20 quizzes give"):
        library([quiz_of(document) for document in documents[:20]], random.Random(3))
