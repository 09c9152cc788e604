"""How good are predictions? Counts of right and wrong, per class, and how far stated confidence can be trusted.

Everything on classes follows from one table, the *confusion matrix*: how often each true class was taken for each. A
division by nothing (the precision of a class that is never predicted) gives 0, as scikit-learn's reports do.

An *entity* is counted whole: its first word, its last word and its kind must all be right (Tjong Kim Sang and De
Meulder 2003, "Introduction to the CoNLL-2003 shared task"). Tags that BIO does not allow are read as `seqeval` does.

What is *written* is compared with references by the runs of words that they share: ROUGE asks how much of both is
shared (Lin 2004), BLEU how much of what is written (Papineni et al. 2002). Neither reads.

Shapes: N examples, C classes. Left out on purpose: ranking measures, weighted averages.
Taught in chapter 08; entities in chapter 09, texts in chapter 12.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class ClassScores(NamedTuple):
    """One class: of those predicted how many are right, of those there are how many are found, and both in one."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    """How many examples truly are of this class."""


def accuracy(predicted: Tensor, actual: Tensor) -> float:
    """The share of examples (N,) whose class is predicted right.

    >>> accuracy(torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0]))
    0.75
    """
    _check(predicted, actual)
    return float((predicted == actual).double().mean())


def confusion_matrix(predicted: Tensor, actual: Tensor, classes: int) -> Tensor:
    """Count (C, C) how often each true class (row) was predicted as each class (column).

    Raises `ValueError` for shapes that differ, no examples, or a class number outside 0 to `classes` - 1.

    >>> confusion_matrix(torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0]), classes=2).tolist()
    [[2, 1], [0, 1]]
    """
    _check(predicted, actual)
    for name, numbers in (("predicted", predicted), ("actual", actual)):
        if int(numbers.min()) < 0 or int(numbers.max()) >= classes:
            raise ValueError(
                f"{name} classes run from {int(numbers.min())} to {int(numbers.max())}: expected 0 to {classes - 1}"
            )
    return torch.bincount(actual * classes + predicted, minlength=classes * classes).view(classes, classes)


def class_report(matrix: Tensor, labels: Sequence[str]) -> list[ClassScores]:
    """Precision, recall and F1 of every class of a confusion matrix (C, C). Raises `ValueError` for other labels.

    >>> [round(score.f1, 2) for score in class_report(torch.tensor([[2, 1], [0, 1]]), ["no", "yes"])]
    [0.8, 0.67]
    """
    if matrix.shape != (len(labels), len(labels)):
        raise ValueError(f"the matrix has the shape {tuple(matrix.shape)}, but there are {len(labels)} labels")
    right, there, said = (counts.tolist() for counts in (matrix.diagonal(), matrix.sum(1), matrix.sum(0)))
    return [
        ClassScores(label, hits / max(claims, 1), hits / max(support, 1), 2 * hits / max(claims + support, 1), support)
        for label, hits, support, claims in zip(labels, right, there, said, strict=True)
    ]


def macro_f1(scores: Sequence[ClassScores]) -> float:
    """The mean F1 of the classes, each counting the same however rare it is."""
    return sum(score.f1 for score in scores) / len(scores)


def expected_calibration_error(probabilities: Tensor, actual: Tensor, *, bins: int = 10) -> float:
    """How far confidence is from accuracy, on average (Guo et al. 2017, "On calibration of modern neural networks").

    `probabilities` (N, C) rows sum to 1; an example's confidence is its largest. Examples fall into `bins` equal
    intervals of confidence; each interval's gap between mean confidence and accuracy counts by its share of examples.

    >>> sure = torch.tensor([[0.9, 0.1], [0.9, 0.1]])
    >>> round(expected_calibration_error(sure, torch.tensor([0, 1])), 2)
    0.4
    """
    if probabilities.ndim != 2 or bool((probabilities.sum(1) - 1).abs().max() > 1e-3):
        raise ValueError(f"probabilities {tuple(probabilities.shape)} must be (N, C) rows that sum to 1: apply softmax")
    confidence, predicted = probabilities.max(1)
    _check(predicted, actual)
    gaps = torch.zeros(bins, dtype=torch.float64, device=confidence.device)
    interval = (confidence * bins).ceil().long().clamp(1, bins) - 1  # (0, 0.1] is the first
    gaps.index_add_(0, interval, confidence.double() - (predicted == actual).double())
    return float(gaps.abs().sum()) / len(actual)


def spearman(one: Tensor, other: Tensor) -> float:
    """Spearman's rank correlation of two lists of N numbers; equal numbers share the mean of their ranks.

    Raises `ValueError` for lists of unequal length and for one whose numbers are all the same.

    >>> round(spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0, 30.0, 20.0])), 3)
    0.5
    """
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(
            f"lists of shape {tuple(one.shape)} and {tuple(other.shape)}: expected as many numbers in both"
        )
    ranks = torch.stack([_ranks(one), _ranks(other)])
    centred = ranks - ranks.mean(1, keepdim=True)
    if not bool(centred.any(1).all()):
        raise ValueError("all numbers of a list are the same: they rank nothing")
    return float((centred[0] * centred[1]).sum() / centred.norm(dim=1).prod())


def _ranks(numbers: Tensor) -> Tensor:
    """The rank of each number, from 0, in float64."""
    unique: tuple[Tensor, ...] = torch.unique(numbers, return_inverse=True, return_counts=True)
    _, places, counts = unique
    return (counts.cumsum(0).double() - (counts + 1) / 2)[places]


class Entity(NamedTuple):
    """An entity of a sentence: its kind, its first word, and the word after its last."""

    kind: str
    begin: int
    end: int


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities that a sentence's tags say; each tag is "O", or "B-" or "I-" before a kind.

    Where BIO is broken the reading is lenient, as `seqeval`'s is: an "I-" that continues nothing begins an entity.

    >>> entities(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
    [Entity(kind='PER', begin=0, end=2), Entity(kind='LOC', begin=3, end=4), Entity(kind='LOC', begin=4, end=5)]
    """
    found: list[Entity] = []
    before = "O"
    for place, tag in enumerate(tags):
        if tag != "O" and (tag.startswith("B-") or tag[2:] != before[2:]):
            found.append(Entity(tag[2:], place, place + 1))
        elif tag != "O":
            found[-1] = found[-1]._replace(end=place + 1)
        before = tag
    return found


def entity_scores(
    predicted: Sequence[Sequence[str]], actual: Sequence[Sequence[str]], kind: str | None = None
) -> ClassScores:
    """Precision, recall and F1 of the entities of one kind, or of all kinds together ("micro").

    One list of tags a sentence. Equal to `seqeval.metrics` to the last digit. Raises `ValueError` for sentences of
    unequal number or length: a tagger that leaves words out must not be excused from them.

    >>> entity_scores([["B-PER", "O", "O"]], [["B-PER", "O", "B-LOC"]]).recall
    0.5
    """
    if [len(tags) for tags in predicted] != [len(tags) for tags in actual]:
        raise ValueError(
            "predicted and actual differ in the number of sentences or of their words: expected one tag each"
        )
    said, there = (
        {
            (number, entity)
            for number, tags in enumerate(sentences)
            for entity in entities(tags)
            if kind in (None, entity.kind)
        }
        for sentences in (predicted, actual)
    )
    hits = len(said & there)
    precision, recall = hits / max(len(said), 1), hits / max(len(there), 1)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return ClassScores(kind or "all", precision, recall, f1, len(there))


class Rouge(NamedTuple):
    """ROUGE-1, ROUGE-2 and ROUGE-L, each an F1."""

    one: float
    two: float
    longest: float


def rouge(written: str, reference: str) -> Rouge:
    """How much two texts have in common: words, pairs of neighbours, and the longest common subsequence of words.

    Equal to Google's `rouge_score` without its stemmer: lower case, and all but letters and digits parts words.

    >>> rouge("The dog bit the man.", "the man bit the dog")
    Rouge(one=1.0, two=0.75, longest=0.6)
    """
    one, other = (re.findall(r"[a-z0-9]+", text.lower()) for text in (written, reference))
    shares = []
    for n in (1, 2):
        mine, theirs = _runs(one, n), _runs(other, n)
        shares.append(_f1((mine & theirs).total(), mine.total(), theirs.total()))
    row = [0] * (len(other) + 1)  # the longest common subsequence of what is read so far and other[:j]
    for word in one:
        before = row[:]
        for j, word_there in enumerate(other):
            row[j + 1] = before[j] + 1 if word == word_there else max(before[j + 1], row[j])
    return Rouge(shares[0], shares[1], _f1(row[-1], len(one), len(other)))


def bleu(written: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> float:
    """BLEU of a whole corpus of words, 0 to 1; each text may have several references.

    The geometric mean of the shares of runs of one to four words that stand in some reference, counted no oftener than
    there, times a penalty if the texts are shorter than their references (those nearest in length) together.

    >>> round(bleu([["a", "b", "c", "d", "x"]], [[["a", "b", "c", "d", "e"]]]), 2)
    0.67
    """
    shares = []
    for n in (1, 2, 3, 4):
        hits = said = 0
        for words, rights in zip(written, references, strict=True):
            mine, allowed = _runs(words, n), Counter[tuple[str, ...]]()
            for right in rights:
                allowed |= _runs(right, n)
            hits, said = hits + (mine & allowed).total(), said + mine.total()
        shares.append(hits / max(said, 1))
    length = sum(map(len, written))
    wanted = sum(
        min((abs(len(right) - len(words)), len(right)) for right in rights)[1]
        for words, rights in zip(written, references, strict=True)
    )
    if not all(shares):
        return 0.0
    return math.exp(sum(map(math.log, shares)) / 4 + min(0.0, 1 - wanted / length))


def _runs(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[i:] for i in range(n)), strict=False))


def _f1(hits: int, said: int, there: int) -> float:
    return 2 * hits / (said + there) if hits else 0.0


def _check(predicted: Tensor, actual: Tensor) -> None:
    if predicted.shape != actual.shape or predicted.ndim != 1 or not len(actual):
        raise ValueError(
            f"predicted has the shape {tuple(predicted.shape)} and actual {tuple(actual.shape)}: expected one class "
            "number per example in both, and at least one"
        )
