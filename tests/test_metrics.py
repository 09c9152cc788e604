"""The figures by hand, and against brute force over random predictions."""

import random
from importlib.util import find_spec

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmini.metrics import (
    ClassScores,
    Entity,
    accuracy,
    bleu,
    class_report,
    confusion_matrix,
    entities,
    entity_scores,
    expected_calibration_error,
    macro_f1,
    rouge,
    spearman,
)

PREDICTED = torch.tensor([0, 0, 1, 1, 1, 0, 2])
ACTUAL = torch.tensor([0, 1, 1, 1, 0, 0, 1])
LABELS = ["cold", "warm", "hot"]


def test_accuracy_by_hand() -> None:
    assert accuracy(PREDICTED, ACTUAL) == pytest.approx(4 / 7)


def test_confusion_matrix_by_hand() -> None:
    assert confusion_matrix(PREDICTED, ACTUAL, 3).tolist() == [[2, 1, 0], [1, 2, 1], [0, 0, 0]]


def test_class_report_by_hand() -> None:
    report = class_report(confusion_matrix(PREDICTED, ACTUAL, 3), LABELS)
    assert report[0] == ClassScores("cold", 2 / 3, 2 / 3, 2 / 3, 3)
    assert report[1] == ClassScores("warm", 2 / 3, 2 / 4, 4 / 7, 4)
    assert report[2] == ClassScores("hot", 0.0, 0.0, 0.0, 0)  # predicted once, never true
    assert macro_f1(report) == pytest.approx((2 / 3 + 4 / 7) / 3)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_report_equals_counting(outcomes: list[tuple[int, int]]) -> None:
    predicted, actual = (torch.tensor(numbers) for numbers in zip(*outcomes, strict=True))
    matrix = confusion_matrix(predicted, actual, 4)
    assert int(matrix.sum()) == len(outcomes)
    for number, scores in enumerate(class_report(matrix, ["a", "b", "c", "d"])):
        hits = sum(said == true == number for said, true in outcomes)
        claims = sum(said == number for said, _ in outcomes)
        there = sum(true == number for _, true in outcomes)
        assert scores.support == there
        assert scores.precision == pytest.approx(hits / claims if claims else 0)
        assert scores.recall == pytest.approx(hits / there if there else 0)
        both = scores.precision + scores.recall
        assert scores.f1 == pytest.approx(2 * scores.precision * scores.recall / both if both else 0)


def test_calibration_error_by_hand() -> None:
    sure = torch.tensor([[0.95, 0.05]] * 4 + [[0.35, 0.65]] * 4)  # half of the first are right, all of the second
    actual = torch.tensor([0, 0, 1, 1, 1, 1, 1, 1])
    assert expected_calibration_error(sure, actual) == pytest.approx(0.5 * (0.95 - 0.5) + 0.5 * (1 - 0.65), abs=1e-6)


def test_calibration_error_is_nothing_where_confidence_is_accuracy() -> None:
    probabilities = torch.tensor([[0.75, 0.25]] * 4)
    assert expected_calibration_error(probabilities, torch.tensor([0, 0, 0, 1])) == pytest.approx(0, abs=1e-7)


def test_gaps_of_one_interval_cancel_and_of_two_do_not() -> None:
    probabilities = torch.tensor([[0.72, 0.28], [0.78, 0.22]])
    actual = torch.tensor([0, 1])
    assert expected_calibration_error(probabilities, actual, bins=10) == pytest.approx(0.25, abs=1e-6)
    assert expected_calibration_error(probabilities, actual, bins=20) == pytest.approx((0.28 + 0.78) / 2, abs=1e-6)


def test_full_certainty_has_an_interval() -> None:
    assert expected_calibration_error(torch.eye(2), torch.tensor([0, 0])) == pytest.approx(0.5)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and actual \(1,\)"):
        accuracy(torch.tensor([0, 1]), torch.tensor([0]))
    with pytest.raises(ValueError, match="at least one"):
        accuracy(torch.tensor([]), torch.tensor([]))
    with pytest.raises(ValueError, match="predicted classes run from 0 to 2: expected 0 to 1"):
        confusion_matrix(PREDICTED, ACTUAL, 2)
    with pytest.raises(ValueError, match=r"shape \(2, 2\), but there are 3 labels"):
        class_report(torch.eye(2), LABELS)
    with pytest.raises(ValueError, match="apply softmax"):
        expected_calibration_error(torch.tensor([[2.0, -0.5]]), torch.tensor([0]))


def test_spearman_shares_ranks_of_equals_and_is_pearson_of_ranks() -> None:
    generator = torch.Generator().manual_seed(0)
    for size in (2, 5, 37):
        one, other = torch.randint(0, 9, (2, size), generator=generator).float()
        one[0], other[0], one[1], other[1] = 99.0, 99.0, -1.0, -1.0
        ranks = [
            torch.tensor([float((line < value).sum() + ((line == value).sum() - 1) / 2) for value in line])
            for line in (one, other)
        ]
        expected = float(torch.corrcoef(torch.stack(ranks))[0, 1])
        assert spearman(one, other) == pytest.approx(expected, abs=1e-6)
        assert spearman(one, -other) == pytest.approx(-expected, abs=1e-6)
        assert spearman(one, other**3) == pytest.approx(expected, abs=1e-6)  # only the order counts


def test_spearman_refuses_what_ranks_nothing() -> None:
    with pytest.raises(ValueError, match="the same"):
        spearman(torch.ones(3), torch.arange(3))
    with pytest.raises(ValueError, match="as many numbers"):
        spearman(torch.arange(3), torch.arange(4))


# ---- entities ----

KINDS = ("PER", "LOC", "creative-work")
TAGS = ["O", *(f"{mark}-{kind}" for kind in KINDS for mark in "BI")]
CASES = {
    "nothing": ([], []),
    "two of one kind side by side": (["B-PER", "B-PER", "I-PER"], [("PER", 0, 1), ("PER", 1, 3)]),
    "an inside without a beginning": (["O", "I-PER", "I-PER"], [("PER", 1, 3)]),
    "an inside of another kind": (["B-PER", "I-LOC", "I-LOC"], [("PER", 0, 1), ("LOC", 1, 3)]),
    "an inside after an outside": (["B-PER", "O", "I-PER"], [("PER", 0, 1), ("PER", 2, 3)]),
    "a kind with a hyphen": (["B-creative-work", "I-creative-work"], [("creative-work", 0, 2)]),
}


@pytest.mark.parametrize("case", CASES)
def test_entities_by_hand(case: str) -> None:
    tags, wanted = CASES[case]
    assert entities(tags) == [Entity(*entity) for entity in wanted]


def test_entity_scores_by_hand() -> None:
    actual = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC"]]
    predicted = [["B-PER", "O", "O", "B-LOC"], ["B-PER", "B-LOC"]]  # half a person is none; one person too many
    assert entity_scores(predicted, actual) == ClassScores("all", 0.5, 2 / 3, pytest.approx(4 / 7), 3)  # type: ignore[arg-type]
    assert entity_scores(predicted, actual, "PER") == ClassScores("PER", 0.0, 0.0, 0.0, 1)
    assert entity_scores(predicted, actual, "LOC") == ClassScores("LOC", 1.0, 1.0, 1.0, 2)
    assert entity_scores([["O"]], [["O"]]).f1 == 0
    with pytest.raises(ValueError, match="differ in the number of sentences or of their words"):
        entity_scores([["O"]], [["O", "O"]])


def spans_plainly(tags: list[str]) -> set[tuple[str, int, int]]:
    """Every stretch of one kind that begins where an entity begins and ends where none goes on: tried one by one."""

    def begins(place: int) -> bool:
        before = tags[place - 1] if place else "O"
        return tags[place] != "O" and (tags[place][0] == "B" or before == "O" or before[2:] != tags[place][2:])

    return {
        (tags[i][2:], i, j)
        for i in range(len(tags))
        for j in range(i + 1, len(tags) + 1)
        if begins(i)
        and all(tags[k][2:] == tags[i][2:] and not begins(k) for k in range(i + 1, j))
        and (j == len(tags) or tags[j] == "O" or begins(j))
    }


def drawn(draw: random.Random) -> tuple[list[list[str]], list[list[str]]]:
    lengths = [draw.randint(0, 8) for _ in range(draw.randint(1, 4))]
    weights = [draw.choice([1, 6])] + [1] * 6
    actual = [draw.choices(TAGS, weights, k=length) for length in lengths]
    return [[tag if draw.random() < 0.6 else draw.choice(TAGS) for tag in tags] for tags in actual], actual


def test_entities_and_their_scores_equal_trying_all_spans() -> None:
    draw = random.Random(0)
    for _ in range(500):
        predicted, actual = drawn(draw)
        assert all({tuple(entity) for entity in entities(tags)} == spans_plainly(tags) for tags in actual)
        said, there = ([(i, e) for i, tags in enumerate(x) for e in spans_plainly(tags)] for x in (predicted, actual))
        hits = sum(entity in there for entity in said)
        scores = entity_scores(predicted, actual)
        assert scores.support == len(there)
        assert scores.precision == (hits / len(said) if said else 0)
        assert scores.recall == (hits / len(there) if there else 0)
        assert scores.f1 == pytest.approx(2 * hits / max(len(said) + len(there), 1))


@pytest.mark.skipif(find_spec("seqeval") is None, reason="seqeval is not installed")
@pytest.mark.filterwarnings("ignore")
def test_entity_scores_are_those_of_seqeval_to_the_last_digit() -> None:
    from seqeval.metrics import f1_score, precision_score, recall_score

    draw = random.Random(1)
    for _ in range(1_000):
        predicted, actual = drawn(draw)
        theirs = [score(actual, predicted) for score in (precision_score, recall_score, f1_score)]
        assert list(entity_scores(predicted, actual)[1:4]) == theirs


def test_rouge_by_hand() -> None:
    assert rouge("the dog bit the man", "The man bit the dog!") == (1.0, 0.75, 0.6)
    assert rouge("a a b", "a b b") == (
        pytest.approx(2 / 3),
        0.5,
        pytest.approx(2 / 3),
    )  # each as often as there
    assert rouge("", "something") == rouge("one", "other") == (0, 0, 0)


def test_bleu_by_hand() -> None:
    right = "the cat sat on the mat".split()  # noqa: SIM905
    assert bleu([right], [[["another"], right]]) == pytest.approx(1)
    assert bleu([right[:5]], [[right]]) == pytest.approx(2.718281828 ** (1 - 6 / 5))
    assert bleu([["the"] * 5], [[right]]) == 0
    # 5 of 6 words, 4 of 5 pairs, 3 of 4, 2 of 3; the reference nearest in length is as long
    expected = (5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25
    assert bleu([["a", *right[1:]]], [[right, right * 2]]) == pytest.approx(expected)


@pytest.mark.skipif(find_spec("rouge_score") is None, reason="rouge_score is not installed")
def test_rouge_is_that_of_google_to_the_last_digit() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    scorer, draw = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False), random.Random(0)
    words = ["the", "dog", "bit", "a", "man,", "in", "Ada's", "garden", "3", "times.", "naïve"]
    for _ in range(1_000):
        one, other = (" ".join(draw.choices(words, k=draw.randint(0, 12))) for _ in range(2))
        theirs = [score.fmeasure for score in scorer.score(other, one).values()]
        assert list(rouge(one, other)) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.skipif(find_spec("sacrebleu") is None, reason="sacrebleu is not installed")
def test_bleu_is_that_of_sacrebleu_without_smoothing() -> None:
    from sacrebleu import corpus_bleu

    draw = random.Random(0)
    for _ in range(300):
        texts, each = draw.randint(1, 5), draw.randint(1, 3)
        said, *rights = ([draw.choices("abcd", k=draw.randint(3, 9)) for _ in range(texts)] for _ in range(each + 1))
        theirs = corpus_bleu(
            [" ".join(text) for text in said],
            [[" ".join(text) for text in part] for part in rights],
            smooth_method="none", tokenize="none", force=True,
        )  # fmt: skip
        assert bleu(said, list(zip(*rights, strict=True))) == pytest.approx(theirs.score / 100, abs=1e-12)
