"""Quizzes: a question, a passage of three facts, and the characters of the passage that answer it, if any do.

The world's task `answer` as plain text, and three changes to it that a reader should survive: full names, so that many
passages can be told apart, a sentence that has nothing to do with the question, and one that looks as if it had (Jia
and Liang 2017, "Adversarial examples for evaluating reading comprehension systems", section 3).

Left out on purpose: other tasks. Taught in chapter 10.
"""

import random
import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from bertmini.microworld.sampling import WorldDocument, to_text

GIRLS, BOYS = ("ada", "bea", "clara"), ("bruno", "hugo", "otto")
FAMILIES = tuple(map("".join, product(("ash", "hart", "nor"), ("", "ing"), ("ton", "ford", "by"))))
_FIRST = re.compile(rf"\b({'|'.join(GIRLS + BOYS)})\b")


class Quiz(NamedTuple):
    """A question about a passage; `answer` is "" where the passage has none, and begins at character `begin`."""

    question: str
    passage: str
    answer: str = ""
    begin: int = 0

    @property
    def who(self) -> str:
        """The first name of the person that is asked about."""
        found = _FIRST.search(self.question)
        assert found is not None, self.question
        return found[0]


def quiz_of(document: WorldDocument) -> Quiz:
    """The text of a document of the task `answer`, and where in it the answer is.

    >>> from bertmini.microworld import World, split_generator
    >>> document = World.default().sample(4, generator=split_generator("test"), kind="answer")[1]
    >>> quiz_of(document)
    Quiz(question='what does clara keep?', passage='clara keeps a goat. bruno keeps a goat. he lives in ashford.', \
answer='goat', begin=14)
    """
    passage = " ".join(document.sentences[document.split :])
    begin = 0
    for number in range(document.split, len(document.sentences)):
        pieces = document.pieces[number]
        for place, label in enumerate(document.labels[number]):
            if label.answer:
                before = len(to_text(pieces[:place])) + 1
                return Quiz(document.text, passage, to_text(pieces[place : place + label.answer]), begin + before)
        begin += len(document.sentences[number]) + 1
    return Quiz(document.text, passage)


def with_full_names(quiz: Quiz, families: Mapping[str, str]) -> Quiz:
    """Give everybody a family name: "ada" becomes "ada norton" where `families` says so."""

    def name(text: str) -> str:
        return _FIRST.sub(lambda found: f"{found[0]} {families[found[0]]}", text)

    return Quiz(name(quiz.question), name(quiz.passage), quiz.answer, len(name(quiz.passage[: quiz.begin])))


def with_sentence(quiz: Quiz, sentence: str) -> Quiz:
    """Say one sentence more, at the end of the passage; the answer stays where it is."""
    return quiz._replace(passage=f"{quiz.passage} {sentence}")


def distractor(quiz: Quiz, draw: random.Random) -> str:
    """The fact that is asked for, of somebody else: it shares its words with the question and does not answer it.

    Said of a person that neither question nor passage names, with an answer that the passage does not have.
    """
    kind = "lives in {}" if {"live", "home"} & set(quiz.question.strip("?").split()) else "keeps a {}"
    things = FAMILIES if kind.startswith("lives") else ("goat", "cat", "parrot", "kettle")
    said = set(re.findall(r"\w+", f"{quiz.question} {quiz.passage}"))
    who = draw.choice([name for name in GIRLS + BOYS if name not in said])
    return f"{who} {kind.format(draw.choice([thing for thing in things if thing not in said]))}."


def library(
    quizzes: Sequence[Quiz], draw: random.Random, *, size: int = 100, asked: int = 78
) -> tuple[list[str], list[tuple[Quiz, int]]]:
    """Passages with full names, and quizzes with the number of the passage that answers each.

    A person that is asked about stands in one passage only; everybody else has one of the other full names, which may
    come again. Only quizzes with a certain answer are used. Raises `ValueError` if they do not suffice.
    """
    names = {first: draw.sample(FAMILIES, len(FAMILIES)) for first in GIRLS + BOYS}
    unique = {first: families[: asked // 6] for first, families in names.items()}
    others = {first: families[asked // 6 :] for first, families in names.items()}
    passages: list[str] = []
    chosen: list[tuple[Quiz, int]] = []
    for quiz in quizzes:
        is_asked = bool(unique[quiz.who])
        if (
            not quiz.answer
            or "one of them" in quiz.passage
            or (not is_asked and len(passages) - len(chosen) == size - asked)
        ):
            continue
        families = {first: draw.choice(rest) for first, rest in others.items()}
        if is_asked:
            families[quiz.who] = unique[quiz.who].pop()
        full = with_full_names(quiz, families)
        if is_asked:
            chosen.append((full, len(passages)))
        passages.append(full.passage)
    if len(passages) < size:
        raise ValueError(f"{len(quizzes)} quizzes give {len(passages)} passages of {size}: draw more")
    return passages, chosen
