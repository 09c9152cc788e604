"""Windows and spans: worked by hand, by brute force, beside Hugging Face's overflowing windows, and for odd texts."""

import random
import unicodedata
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from bertmini import PRESETS, BertForQuestionAnswering, ExampleStream, Recipe, WordPieceTokenizer, train
from bertmini.config import SPECIAL_TOKENS
from bertmini.data.answers import Reading, Window, answer_pieces, answer_windows, best_spans, read_spans, window_starts
from bertmini.data.batches import pad
from bertmini.data.squad import GoldAnswer, Question

PIECES = [*SPECIAL_TOKENS, *"abcdefghijklmnopqrstuvwxyz中文?.-", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")]
TOKENIZER = WordPieceTokenizer.from_vocab(PIECES)
CASED = WordPieceTokenizer.from_vocab(PIECES, lowercase=False)


def ask(passage: str, answer: str = "", question: str = "q?", name: str = "1") -> Question:
    return Question(name, question, passage, (GoldAnswer(answer, passage.index(answer)),) if answer else ())


def said_at(windows: list[Window], place: int, questions: list[Question]) -> str:
    """What is read where a model is sure of the taught positions of one window."""
    window = windows[place]
    start, end = torch.zeros(2, window.first + len(window.offsets) + 1)
    start[window.row["start_positions"]] = end[window.row["end_positions"]] = 9  # type: ignore[index]
    (reading,) = read_spans([window._replace(question=0)], [(start, end)], [questions[window.question]])
    return reading.answer()


def test_one_window_worked_by_hand() -> None:
    question = ask("a  Cat.", "Cat", "b c?")
    (window,) = answer_windows([question], TOKENIZER, max_length=16, stride=4)
    assert TOKENIZER.convert_ids_to_tokens(window.row["input_ids"]) == (  # type: ignore[call-overload]
        ["[CLS]", "b", "c", "?", "[SEP]", "a", "c", "##a", "##t", ".", "[SEP]"]
    )
    assert window.row["token_type_ids"] == [0] * 5 + [1] * 6
    assert (window.row["start_positions"], window.row["end_positions"]) == (6, 8)
    assert (window.question, window.first) == (0, 5)
    assert window.offsets == [(0, 1), (3, 4), (4, 5), (5, 6), (6, 7)]


def test_long_passages_worked_by_hand() -> None:
    question = ask("a b c d e f g h", "d e")
    windows = answer_windows([question], TOKENIZER, max_length=9, stride=2)  # room for 4
    tokens = [TOKENIZER.decode(window.row["input_ids"]) for window in windows]  # type: ignore[arg-type]
    assert tokens == ["q? a b c d", "q? c d e f", "q? e f g h"]
    spans = [(window.row["start_positions"], window.row["end_positions"]) for window in windows]
    assert spans == [(0, 0), (5, 6), (0, 0)]  # taught only where all of it stands
    assert [window.offsets[0] for window in windows] == [(0, 1), (4, 5), (8, 9)]


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 12))
def test_windows_leave_nothing_out(pieces: int, room: int, stride: int) -> None:
    stride = min(stride, room)
    starts = window_starts(pieces, room, stride)
    assert {place for start in starts for place in range(start, min(start + room, pieces))} == set(range(pieces))
    assert starts[0] == 0
    assert all(start + room < pieces for start in starts[:-1])  # none begins once the end has been reached
    assert starts[-1] + room >= pieces


def test_windows_are_those_of_the_tokenizers_library() -> None:
    passage = " ".join("abcdefghijklmnopqrstuvwxyz")
    room, stride = 7, 3
    ours = answer_windows([ask(passage)], TOKENIZER, max_length=room + 5, stride=stride)
    backend = WordPieceTokenizer.from_vocab(PIECES).backend
    backend.enable_truncation(room + 5, stride=room - stride, strategy="only_second")
    first = backend.encode("q?", passage)
    assert [window.row["input_ids"] for window in ours] == [first.ids, *(more.ids for more in first.overflowing)]


def test_several_questions_keep_their_numbers() -> None:
    questions = [ask("a b c d e f", "f"), ask("中 文", "文", name="2")]
    windows = answer_windows(questions, TOKENIZER, max_length=8, stride=3)
    assert [window.question for window in windows] == [0, 0, 1]
    assert said_at(windows, 1, questions) == "f"
    assert said_at(windows, 2, questions) == "文"
    assert said_at(windows, 0, questions) == ""


@pytest.mark.parametrize(
    ("question", "options", "message"),
    [
        (ask("a b"), {"stride": 0}, "stride is 0"),
        (ask("a b", question="a b c d e f?"), {}, "has 7 pieces and leaves room for 2 .* max_length=12, but stride=4"),
        (ask("a b", question="a " * 30), {}, "leaves room for 0"),
        (ask("a b"), {"stride": 8}, "pieces would be skipped"),
        (ask(" \u200b "), {}, "the passage of question '1' has no pieces"),
        (Question("7", "q?", "a  b", (GoldAnswer(" ", 2),)), {}, "no piece comes from the answer ' ' of question '7'"),
    ],
)
def test_what_cannot_be_read_is_refused(question: Question, options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        answer_windows([question], TOKENIZER, **({"max_length": 12, "stride": 4} | options))


ODD = st.text(st.sampled_from("ab中文 \t\r\n\u3000\u00a0\u0301\u0308éÉßİ.-?\u200bﬁ𝒳"), min_size=1, max_size=24)


@given(ODD, st.data(), st.sampled_from([TOKENIZER, CASED]))
def test_answers_come_back_as_they_are_written(
    passage: str, data: st.DataObject, tokenizer: WordPieceTokenizer
) -> None:
    begin = data.draw(st.integers(0, len(passage) - 1))
    answer = passage[begin : data.draw(st.integers(begin + 1, len(passage)))]
    question = Question("1", "q?", passage, (GoldAnswer(answer, begin),))
    pieces = tokenizer.encode(passage, add_special_tokens=False).offsets
    assume(any(a < begin + len(answer) and b > begin for a, b in pieces))  # something of it can be seen
    windows = answer_windows([question], tokenizer, max_length=64, stride=32)
    row = windows[0].row
    said = said_at(windows, 0, [question])
    assert said in passage
    place = windows[0].offsets[row["start_positions"] - windows[0].first][0]  # type: ignore[operator]
    assert passage.startswith(said, place)
    seen = [i for i in range(begin, begin + len(answer)) if any(a <= i < b for a, b in windows[0].offsets)]
    assert place <= min(seen)
    assert max(seen) < place + len(said)
    if place + len(said) < len(passage):
        assert not unicodedata.combining(passage[place + len(said)])  # no accent is cut off


@pytest.mark.parametrize(
    "passage", ["x\r\n\r\ncafe\u0301 n", "x\u3000\u3000Café n", "中cafe\u0301文", "x\tCAFE\u0301\u0301."]
)
def test_accents_and_odd_spaces(passage: str) -> None:
    answer = passage[passage.lower().index("caf") :].rstrip(" n.文")
    questions = [ask(passage, answer)]
    assert said_at(answer_windows(questions, TOKENIZER, max_length=32, stride=8), 0, questions) == answer


def test_an_answer_within_a_word_takes_the_pieces_that_it_touches() -> None:
    offsets = [(0, 3), (3, 6), (7, 9)]
    assert answer_pieces(GoldAnswer("x", 4), offsets) == (1, 1)
    assert answer_pieces(GoldAnswer("xxxxx", 2), offsets) == (0, 1)


@pytest.mark.parametrize("seed", range(20))
def test_best_spans_by_brute_force(seed: int) -> None:
    draw, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    first, count, longest, n_best = (
        draw.randrange(2, 5),
        draw.randrange(1, 9),
        draw.randrange(1, 6),
        draw.randrange(1, 9),
    )
    start, end = torch.randn(2, first + count + 1, generator=generator)
    window = Window(0, {}, first, [(i, i + 1) for i in range(count)])
    every = [
        (float(start[first + i].double() + end[first + j].double()), i, j)
        for i in range(count)
        for j in range(i, min(i + longest, count))
    ]
    assert best_spans(start, end, window, n_best=n_best, max_pieces=longest) == sorted(every, reverse=True)[:n_best]


def test_readings_worked_by_hand() -> None:
    question = ask("a b c")
    windows = [Window(0, {}, 1, [(0, 1), (2, 3)]), Window(0, {}, 1, [(2, 3), (4, 5)])]
    inf = float("-inf")
    logits = [
        (torch.tensor([2.0, 1, 3, inf]), torch.tensor([2.0, 0, 1, inf])),  # a 1, a b 2, b 4; null 4
        (torch.tensor([1.0, 2, 0, inf]), torch.tensor([0.5, 3, 4, inf])),  # b 5, b c 6, c 4; null 1.5
    ]
    (reading,) = read_spans(windows, logits, [question], n_best=3)
    assert [(text, score) for text, _, score in reading.candidates] == [("b c", 6), ("b", 5), ("c", 4)]
    assert reading.candidates[0].characters == (2, 5)
    assert (reading.null, reading.margin) == (1.5, 4.5)
    assert (reading.answer(), reading.answer(4.4), reading.answer(4.5)) == ("b c", "b c", "")
    (short,) = read_spans(windows, logits, [question], n_best=3, max_pieces=1)
    assert [candidate.text for candidate in short.candidates] == ["b", "c", "a"]
    assert Reading([], 0.0).answer(-1e9) == ""


def test_a_question_without_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="question '1' has no window"):
        read_spans([], [], [ask("a b")])


def test_a_model_learns_one_batch_by_heart() -> None:
    passages = [("a b c d", "b c"), ("e f g h", "h"), ("i k l m", "")]
    questions = [ask(passage, answer, name=answer) for passage, answer in passages]
    windows = answer_windows(questions, TOKENIZER, max_length=16, stride=4)
    config = replace(PRESETS["nano"], vocab_size=len(TOKENIZER), hidden_dropout_prob=0, attention_probs_dropout_prob=0)
    model = BertForQuestionAnswering(config)
    rows = [window.row for window in windows]
    stream = ExampleStream(rows, pad_id=TOKENIZER.pad_id, batch_size=3)
    train(model, stream, Recipe(steps=40, learning_rate=3e-3), device="cpu", progress=False)
    with torch.inference_mode():
        output = model(**pad(rows, TOKENIZER.pad_id))
    assert output.loss is not None
    assert output.loss < 0.05
    readings = read_spans(windows, zip(output.start_logits, output.end_logits, strict=True), questions)
    assert [reading.answer() for reading in readings] == ["b c", "h", ""]
