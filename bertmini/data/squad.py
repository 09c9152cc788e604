"""Questions, passages and where the answers stand, from files in the format of SQuAD 1.1 and 2.0.

An answer is a text and the character at which it begins. The passage must hold that text at that place, or the model
would be taught something else than what was meant; the commonest causes (bytes counted instead of characters, a passage
cleaned after the answers were marked) are named in the refusal. In version 2.0 a question may have no answer.

Left out on purpose: the plausible answers of version 2.0, and other formats. Taught in chapter 10.
"""

from pathlib import Path
from typing import Any, NamedTuple

from bertmini.files import read_json


class GoldAnswer(NamedTuple):
    """What somebody marked as the answer: the text, and the character of the passage at which it begins."""

    text: str
    begin: int


class Question(NamedTuple):
    """A question about a passage; no answers means that the passage does not answer it."""

    id: str
    question: str
    passage: str
    answers: tuple[GoldAnswer, ...] = ()


def read_squad(path: str | Path) -> list[Question]:
    """Read all questions of a file, in its order.

    Raises `ValueError`, naming the file and the place in it, for what is not of this format, an answer that does not
    stand where it is said to, a question without answers that is not marked `is_impossible` or with answers that is, an
    id that comes twice, and a file without questions.
    """
    path = Path(path)
    found: list[Question] = []
    places: dict[str, str] = {}
    for number, article in enumerate(_field(read_json(path), "data", list, str(path)), start=1):
        for part, paragraph in enumerate(_field(article, "paragraphs", list, f"{path}, article {number}"), start=1):
            where = f"{path}, article {number}, paragraph {part}"
            passage = _text(paragraph, "context", where)
            for place, item in enumerate(_field(paragraph, "qas", list, where), start=1):
                here = f"{where}, question {place}"
                question = _question(item, passage, here)
                if question.id in places:
                    raise ValueError(
                        f"{here}: the id {question.id!r} is that of {places[question.id]}: give it another"
                    )
                places[question.id] = f"question {place} of article {number}, paragraph {part}"
                found.append(question)
    if not found:
        raise ValueError(f"{path} holds no questions")
    return found


def _question(item: Any, passage: str, where: str) -> Question:
    name, text = _text(item, "id", where), _text(item, "question", where)
    answers = tuple(_answer(answer, passage, where) for answer in _field(item, "answers", list, where))
    impossible = item.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise ValueError(f"{where}: is_impossible is {impossible!r}: expected true or false, without quotes")
    if impossible and answers:
        raise ValueError(f"{where} is_impossible, but has the answer {answers[0].text!r}: take one of them out")
    if not impossible and not answers:
        raise ValueError(f'{where} has no answers: add one, or "is_impossible": true if the passage does not answer it')
    return Question(name, text, passage, answers)


def _answer(answer: Any, passage: str, where: str) -> GoldAnswer:
    text, begin = _text(answer, "text", where), _field(answer, "answer_start", int, where)
    if passage[max(begin, 0) :].startswith(text) and begin >= 0:
        return GoldAnswer(text, begin)
    shown = text if len(text) <= 40 else f"{text[:37]}..."
    there = passage[max(begin, 0) : max(begin, 0) + 20]
    nearest = min(_all_places(text, passage), key=lambda place: abs(place - begin), default=None)
    if nearest is None:
        cure = "it does not stand in the passage at all: was one of them cleaned and the other not?"
    else:
        cure = f"it stands at {nearest}: count characters, not bytes, in the passage exactly as written"
    raise ValueError(f"{where}: the answer {shown!r} does not stand at {begin} ({there!r} does); {cure}")


def _all_places(text: str, passage: str) -> list[int]:
    places, at = [], passage.find(text)
    while at >= 0:
        places.append(at)
        at = passage.find(text, at + 1)
    return places


def _field(holder: Any, name: str, kind: type, where: str) -> Any:
    """Give a field of an object, if it is there and of its kind."""
    if not isinstance(holder, dict):
        raise ValueError(f"{where} is a {type(holder).__name__}: expected an object with {name!r}")
    if name not in holder:
        known = ", ".join(repr(key[:30]) for key in list(holder)[:8]) or "nothing"
        raise ValueError(f"{where} has no {name!r}; there is {known}: is it a file in SQuAD's format?")
    value = holder[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{where}: {name!r} is {str(value)[:30]!r}: expected {_KINDS[kind]}")
    return value


_KINDS = {list: "a list", int: "a whole number", str: "text"}


def _text(holder: Any, name: str, where: str) -> str:
    value: str = _field(holder, name, str, where)
    if not value.strip():
        raise ValueError(f"{where}: {name!r} is empty")
    return value
