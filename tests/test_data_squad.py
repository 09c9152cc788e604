"""Files in SQuAD's format: what is read, and every mistake with its file and place."""

import json
from pathlib import Path
from typing import Any

import pytest

from bertmini.data.squad import GoldAnswer, Question, read_squad

PASSAGE = "Café 中文: the seal\r\nslept, the seal woke."


def item(**changes: Any) -> dict[str, Any]:
    """One question, with fields changed, or (None) taken out."""
    fields = {"id": "q1", "question": "Who slept?", "answers": [{"text": "the seal", "answer_start": 9}]} | changes
    return {name: value for name, value in fields.items() if value is not None}


def written(folder: Path, *items: Any, **changes: Any) -> Path:
    paragraph = {"context": PASSAGE, "qas": list(items)} | changes
    path = folder / "asked.json"
    path.write_text("\ufeff" + json.dumps({"version": "v2.0", "data": [{"title": "x", "paragraphs": [paragraph]}]}))
    return path


def test_both_versions_are_read(tmp_path: Path) -> None:
    two = [{"text": "seal", "answer_start": 13}, {"text": "the seal", "answer_start": 26}]
    plausible = [{"text": "seal", "answer_start": 13}]
    path = written(
        tmp_path,
        item(answers=two),
        item(id="q2", is_impossible=True, answers=[], plausible_answers=plausible),
        item(id="q3", is_impossible=False),
    )
    assert read_squad(path) == [
        Question("q1", "Who slept?", PASSAGE, (GoldAnswer("seal", 13), GoldAnswer("the seal", 26))),
        Question("q2", "Who slept?", PASSAGE),
        Question("q3", "Who slept?", PASSAGE, (GoldAnswer("the seal", 9),)),
    ]


QUESTION = "article 1, paragraph 1, question 1"
MISTAKES = {
    "no answers": (item(answers=None), f"{QUESTION} has no 'answers'; there is 'id', 'question': is it a file in"),
    "empty answers": (item(answers=[]), f'{QUESTION} has no answers: add one, or "is_impossible": true'),
    "impossible, but answered": (item(is_impossible=True), "is_impossible, but has the answer 'the seal'"),
    "not a boolean": (item(is_impossible="false"), "is_impossible is 'false': expected true or false"),
    "bytes counted": (
        item(answers=[{"text": "the seal", "answer_start": 14}]),
        r"the answer 'the seal' does not stand at 14 \('eal\\r\\nslept, the seal' does\); it stands at 9: count char",
    ),
    "the nearest place": (item(answers=[{"text": "the seal", "answer_start": 30}]), "it stands at 26"),
    "not in the passage": (item(answers=[{"text": "a boat", "answer_start": 3}]), "not stand in the passage at all"),
    "before the beginning": (item(answers=[{"text": "woke.", "answer_start": -5}]), "does not stand at -5"),
    "a long answer is cut": (item(answers=[{"text": "x" * 90, "answer_start": 0}]), r"'x{37}\.\.\.'"),
    "place as text": (item(answers=[{"text": "seal", "answer_start": "9"}]), "'answer_start' is '9': expected a whole"),
    "place as truth": (item(answers=[{"text": "seal", "answer_start": True}]), "'answer_start' is 'True'"),
    "no text": (item(answers=[{"text": "", "answer_start": 9}]), "'text' is empty"),
    "an answer that is text": (item(answers=["seal"]), f"{QUESTION} is a str: expected an object with 'text'"),
    "answers that are no list": (item(answers={"text": "seal"}), "'answers' is \"{'text': 'seal'}\": expected a list"),
    "an empty question": (item(question=" \t"), f"{QUESTION}: 'question' is empty"),
    "a number for an id": (item(id=7), "'id' is '7': expected text"),
    "no object": ("Who slept?", f"{QUESTION} is a str: expected an object with 'id'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named_with_their_place(tmp_path: Path, mistake: str) -> None:
    wrong, message = MISTAKES[mistake]
    path = written(tmp_path, wrong)
    with pytest.raises(ValueError, match=message) as caught:
        read_squad(path)
    assert str(caught.value).startswith(f"{path}, article 1, paragraph 1, question 1")


def test_an_id_that_comes_again(tmp_path: Path) -> None:
    path = written(tmp_path, item(), item())
    with pytest.raises(ValueError, match="question 2: the id 'q1' is that of question 1 of article 1, paragraph 1"):
        read_squad(path)


def test_an_empty_passage(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="article 1, paragraph 1: 'context' is empty"):
        read_squad(written(tmp_path, context="\n"))


WHOLE_FILES = {
    "a table": ("question\tanswer\n", "is not JSON"),
    "a list": ("[]", "holds a list: expected a JSON object"),
    "another json": ('{"rows": []}', "has no 'data'; there is 'rows': is it a file in SQuAD's format"),
    "an empty object": ("{}", "has no 'data'; there is nothing"),
    "nothing in it": ('{"data": []}', "holds no questions"),
    "no paragraphs": ('{"data": [{"title": "x"}]}', "article 1 has no 'paragraphs'; there is 'title'"),
    "a name twice": ('{"data": [], "data": []}', "the name 'data' stands twice"),
    "NaN": ('{"data": NaN}', "NaN stands for a number"),
}


@pytest.mark.parametrize("kind", WHOLE_FILES)
def test_other_files_are_refused(tmp_path: Path, kind: str) -> None:
    content, message = WHOLE_FILES[kind]
    path = tmp_path / "asked.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_squad(path)
    assert str(caught.value).startswith(str(path))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        read_squad(tmp_path / "none.json")
    with pytest.raises(ValueError, match="is a folder"):
        read_squad(tmp_path)
