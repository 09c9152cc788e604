"""How good are answers? Exact match and F1 as SQuAD's own script counts them, and where to begin to say "no answer".

Before two answers are compared, case, punctuation, the articles *a*, *an*, *the* and superfluous spaces go. F1 then
looks at the words as a bag: how many the two share, of those said and of those expected. Of several gold answers the
nearest counts. Where there is no answer, only the empty answer is right (Rajpurkar et al. 2016, section 6.1; Rajpurkar
et al. 2018, section 4.2).

Left out on purpose: precision and recall apart. Taught in chapter 10.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


class AnswerScores(NamedTuple):
    """Means over questions: all, those with an answer (`has`), those without (`no`; there EM and F1 are the same)."""

    exact: float
    f1: float
    has_exact: float
    has_f1: float
    no_exact: float


def normalize_answer(text: str) -> str:
    """What of an answer is compared.

    >>> normalize_answer("The  U.S. Army,")
    'us army'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(said: str, golds: Sequence[str]) -> float:
    """1 if the answer is one of the gold answers, or empty where there are none, else 0.

    >>> exact_match("the seal", ["Seal.", "a grey seal"]), exact_match("seal", [])
    (1.0, 0.0)
    """
    return _nearest(said, golds, lambda one, other: float(one == other))


def token_f1(said: str, golds: Sequence[str]) -> float:
    """The harmonic mean of precision and recall of the answer's words, at the nearest of the gold answers.

    >>> token_f1("a grey seal", ["the seal"])
    0.6666666666666666
    """
    return _nearest(said, golds, _bag_f1)


def answer_scores(said: Sequence[str], golds: Sequence[Sequence[str]]) -> AnswerScores:
    """Score all answers; a question without gold answers has none. What there is nothing of scores 0.

    Raises `ValueError` for no answers, or another number of gold answers.
    """
    if not said or len(said) != len(golds):
        raise ValueError(f"{len(said)} answers and {len(golds)} lists of gold answers: expected as many, one at least")
    exact, f1 = (list(map(score, said, golds)) for score in (exact_match, token_f1))
    has = [bool(_norms(gold)) for gold in golds]
    no = [not one for one in has]
    everything = [True] * len(has)
    return AnswerScores(
        _mean(exact, everything), _mean(f1, everything), _mean(exact, has), _mean(f1, has), _mean(exact, no)
    )


def best_threshold(margins: Sequence[float], said: Sequence[str], golds: Sequence[Sequence[str]]) -> float:
    """The threshold with the best mean F1 if a question is answered only where its margin lies above it.

    `margins` say how far the best span lies above the null answer, `said` is that span. To be chosen on development
    data and then kept (Devlin et al. 2019, section 4.3). The threshold stands midway between two margins; of equally
    good ones the lowest is taken. Raises `ValueError` as `answer_scores` does.

    >>> best_threshold([3.0, 1.0], ["seal", "boat"], [["seal"], []])
    2.0
    """
    if not margins or not len(margins) == len(said) == len(golds):
        raise ValueError(
            f"{len(margins)} margins, {len(said)} answers, {len(golds)} lists of gold answers: as many each"
        )
    order = sorted(range(len(margins)), key=margins.__getitem__)
    score = best = sum(token_f1(said[i], golds[i]) for i in order)  # all are answered
    threshold = margins[order[0]] - 1
    for place, i in enumerate(order):
        score += token_f1("", golds[i]) - token_f1(said[i], golds[i])
        following = margins[order[place + 1]] if place + 1 < len(order) else margins[i] + 2
        if score > best + 1e-9 and following > margins[i]:
            best, threshold = score, (margins[i] + following) / 2
    return threshold


def _nearest(said: str, golds: Sequence[str], score: Callable[[str, str], float]) -> float:
    return max(score(normalize_answer(said), gold) for gold in _norms(golds) or [""])


def _norms(golds: Sequence[str]) -> list[str]:
    """The gold answers as they are compared; one of which nothing is left counts for none."""
    return [norm for gold in golds if (norm := normalize_answer(gold))]


def _bag_f1(said: str, gold: str) -> float:
    words, expected = said.split(), gold.split()
    if not words or not expected:
        return float(words == expected)
    shared = (Counter(words) & Counter(expected)).total()
    return 2 * shared / (len(words) + len(expected))


def _mean(scores: Sequence[float], chosen: Sequence[bool]) -> float:
    kept = [score for score, one in zip(scores, chosen, strict=True) if one]
    return sum(kept) / max(len(kept), 1)
