"""`finetune questions` and `answer` as a user meets them: short real runs, and mistakes answered by one line."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers

from bertmini import BertConfig, BertForPreTraining, BertForQuestionAnswering, WordPieceTokenizer
from bertmini.answer_scores import answer_scores
from bertmini.cli import main
from bertmini.data.squad import Question, read_squad
from bertmini.runs.answer import answer_from, read_answers, read_passages, threshold_of

ANIMALS, PLACES = ["seal", "fox", "owl", "hare", "crab", "wren"], ["bay", "wood", "barn", "field", "pond", "hedge"]
WORDS = ["the", "lives", "in", "where", "does", "live", ".", "?", *ANIMALS, *PLACES]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
CONFIG = BertConfig(
    vocab_size=len(TOKENIZER),
    hidden_size=20,
    num_hidden_layers=1,
    num_attention_heads=4,
    intermediate_size=37,
    max_position_embeddings=40,
)


def squad(first: int, last: int) -> dict[str, object]:
    """One animal lives somewhere; every third question is about another animal."""
    paragraphs = []
    for number in range(first, last):
        animal, place, other = ANIMALS[number % 6], PLACES[number // 6 % 6], ANIMALS[(number + 1) % 6]
        passage = f"The {animal} lives in the {place}."
        asked = other if number % 3 == 0 else animal
        answers = [] if number % 3 == 0 else [{"text": place, "answer_start": passage.index(place)}]
        text = f"Where does the {asked} live?"
        question = {"id": str(number), "question": text, "answers": answers, "is_impossible": not answers}
        paragraphs.append({"context": passage, "qas": [question]})
    return {"version": "2.0", "data": [{"title": "homes", "paragraphs": paragraphs}]}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("questions")
    torch.manual_seed(0)
    BertForPreTraining(CONFIG).save_pretrained(folder / "start")
    TOKENIZER.save_pretrained(folder / "start")
    (folder / "train.json").write_text(json.dumps(squad(0, 36)))
    (folder / "eval.json").write_text(json.dumps(squad(36, 54)))
    (folder / "homes.txt").write_text(
        "The seal lives in the bay.\nThe seal lives.\n\nThe fox lives in the wood.\nThe fox lives.\n"
    )
    return folder


def command(files: Path, out: Path, *more: str) -> list[str]:
    asked = [
        "finetune",
        "questions",
        f"{files}/start",
        "--train",
        f"{files}/train.json",
        "--eval",
        f"{files}/eval.json",
    ]
    return [*asked, "--out", str(out), "--threads", "1", "--device", "cpu", *more]


@pytest.fixture(scope="module")
def result(files: Path) -> Path:
    out = files / "out"
    rate = ["--learning-rate", "0.01", "--epochs", "12", "--batch-size", "6", "--patience", "12", "--dropout", "0"]
    assert main(command(files, out, *rate)) == 0
    return out


def test_the_record_says_what_was_measured_and_the_saved_model_gives_it_again(result: Path, files: Path) -> None:
    record = json.loads((result / "finetune.json").read_text())
    questions = read_squad(files / "eval.json")
    model, tokenizer = BertForQuestionAnswering.from_pretrained(result), WordPieceTokenizer.from_pretrained(result)
    readings = read_answers(model, tokenizer, questions)
    said = [reading.answer(record["threshold"]) for reading in readings]
    scores = answer_scores(said, [[gold.text for gold in question.answers] for question in questions])
    assert record["scores"] == pytest.approx(scores._asdict())
    assert record["epochs"][record["best_epoch"]]["f1"] == pytest.approx(scores.f1)
    assert max(epoch["f1"] for epoch in record["epochs"]) == pytest.approx(scores.f1)
    assert scores.f1 > record["epochs"][0]["f1"]  # it learned
    answered = [[0, 0], [0, 0]]
    for question, one in zip(questions, said, strict=True):
        answered[bool(question.answers)][bool(one)] += 1
    assert record["answered"] == answered
    assert threshold_of(result) == record["threshold"]
    assert sorted(path.name for path in result.iterdir())[:2] == ["config.json", "confusion.png"]


def test_hugging_face_gives_the_same_logits(result: Path) -> None:
    ours, theirs = (
        kind.from_pretrained(result).eval()
        for kind in (BertForQuestionAnswering, transformers.BertForQuestionAnswering)
    )
    encoding = WordPieceTokenizer.from_pretrained(result).encode(
        "Where does the seal live?", "The seal lives in the bay."
    )
    inputs = torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])
    with torch.inference_mode():
        one, other = ours(*inputs), theirs(input_ids=inputs[0], token_type_ids=inputs[1])
    torch.testing.assert_close(one.start_logits, other.start_logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(one.end_logits, other.end_logits, atol=1e-5, rtol=0)


def test_what_is_printed(result: Path, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(files, tmp_path / "short", "--epochs", "1", "--max-length", "17", "--stride", "2")) == 0
    printed = capsys.readouterr().out
    assert "Judged on" in printed
    assert "18 questions:" in printed
    assert "12 with an answer: exact match" in printed
    assert "6 without:" in printed
    assert main(["answer", str(result), str(files / "homes.txt"), "--question", "Where does the fox live?"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "[" in line]) == 2
    assert not any("\x1b" in line for line in lines)


def test_answers_are_cut_from_the_passage_the_most_convincing_first(result: Path, files: Path) -> None:
    passages = read_passages(files / "homes.txt")
    assert passages == ["The seal lives in the bay. The seal lives.", "The fox lives in the wood. The fox lives."]
    found = answer_from(result, "Where does the fox live?", passages)
    assert [one.margin for one in found] == sorted((one.margin for one in found), reverse=True)
    assert sorted(one.passage for one in found) == [0, 1]
    for one in found:
        begin, end = one.answer.characters
        assert passages[one.passage][begin:end] == one.answer.text
        assert one.convincing == (one.margin > threshold_of(result))
    (nearest,) = answer_from(result, "Where does the fox live?", passages, read=1)
    assert nearest.passage == 1  # by its words


def test_another_library_s_checkpoint_has_the_threshold_zero(result: Path, tmp_path: Path) -> None:
    shutil.copytree(result, tmp_path / "other", ignore=shutil.ignore_patterns("finetune.json"))
    assert threshold_of(tmp_path / "other") == 0.0


def test_windows_of_a_long_passage_find_what_stands_in_any_of_them(result: Path) -> None:
    model, tokenizer = BertForQuestionAnswering.from_pretrained(result), WordPieceTokenizer.from_pretrained(result)
    passage = " ".join(f"The {animal} lives in the {place}." for animal, place in zip(ANIMALS, PLACES, strict=True))
    (reading,) = read_answers(model, tokenizer, [Question("0", "Where does the wren live?", passage)], stride=7)
    assert max(candidate.characters[1] for candidate in reading.candidates) <= len(passage)
    whole = read_answers(
        model, tokenizer, [Question("0", "Where does the wren live?", passage)], max_length=30, stride=1
    )
    assert whole[0].candidates[0].text in passage


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda data: data["data"][0]["paragraphs"][0]["qas"][0].pop("id"), "train.json, article 1, paragraph 1"),
        (lambda data: data.pop("data"), "train.json"),
    ],
)
def test_a_mistake_gets_one_line_and_leaves_nothing_behind(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], break_it: object, message: str
) -> None:
    data = squad(0, 36)
    break_it(data)  # type: ignore[operator]
    shutil.copytree(files, tmp_path / "broken", ignore=shutil.ignore_patterns("out"))
    (tmp_path / "broken" / "train.json").write_text(json.dumps(data))
    assert main(command(tmp_path / "broken", tmp_path / "none")) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert len(printed.splitlines()) == 1
    assert not (tmp_path / "none").exists()


def test_a_passage_that_does_not_fit_is_told(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(files, tmp_path / "none", "--max-length", "9")) == 2
    assert "leaves room for" in capsys.readouterr().err


def test_a_checkpoint_without_the_head_is_refused(files: Path) -> None:
    with pytest.raises(
        ValueError, match=r"start is no reader \(it has no qa_outputs\); `finetune questions` makes one of it"
    ):
        answer_from(files / "start", "Where does the fox live?", ["The fox lives in the wood."])
