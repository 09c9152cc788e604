"""Events: every sentence tells one event only, and what is said to be best without knowing who acted is."""

import random
from collections import Counter, defaultdict
from itertools import product

import pytest
import torch

from bertmini import WordPieceTokenizer
from bertmini.metrics import spearman
from bertmini.microworld.events import (
    CARELESS,
    DEEDS,
    FORMS,
    PEOPLE,
    PLACES,
    Event,
    all_events,
    changed,
    entailment_pairs,
    graded_pairs,
    in_common,
    same_given_second,
    split_events,
    tell,
    vocabulary,
)


def tellings(event: Event) -> set[str]:
    """All sentences that tell an event."""
    names = PEOPLE[event.who], DEEDS[event.did], PEOPLE[event.whom], PLACES[event.where]
    return {
        form.format(who=who, did=did, whom=whom, where=where)
        for form in FORMS
        for who, did, whom, where in product(*names)
    }


def test_every_sentence_tells_one_event_only() -> None:
    told = Counter(sentence for event in all_events() for sentence in tellings(event))
    assert len(all_events()) == 8 * 7 * 8 * 6
    assert len(told) == len(all_events()) * 4 * 16
    assert max(told.values()) == 1


def test_the_words_never_say_who_acted() -> None:
    told = defaultdict(list)
    for event in all_events()[:400]:
        for each in (event, event.turned()):
            for sentence in tellings(each):
                told[tuple(sorted(sentence.strip(".").split()))].append(each)
    assert all(events.count(event) == events.count(event.turned()) for events in told.values() for event in events)


def test_told_in_every_way() -> None:
    draw, event = random.Random(0), Event(1, 2, 3, 4)
    assert {tell(event, draw) for _ in range(2_000)} == tellings(event)


def test_held_out_events_are_others_and_so_are_their_twins() -> None:
    known, asked = split_events()
    assert len(known) == 3 * len(asked)
    assert sorted(known + asked) == sorted(all_events())
    assert {event.turned() for event in asked} == set(asked)


@pytest.mark.parametrize("parts", range(5))
def test_changed_in_so_many_parts(parts: int) -> None:
    draw = random.Random(parts)
    for event in draw.choices(all_events(), k=50):
        other = changed(event, parts, draw)
        assert in_common(event, other) == 4 - parts
        assert other.who != other.whom


def test_gold_is_what_the_sentences_say() -> None:
    event_of = {sentence: event for event in all_events() for sentence in tellings(event)}
    for pair in graded_pairs(all_events(), 300, random.Random(1)):
        one, other = event_of[pair.one], event_of[pair.other]
        assert pair.common == in_common(one, other)
        assert pair.without_order == (pair.common + in_common(one, other.turned())) / 2


def test_nothing_from_words_alone_does_better_than_the_mean_of_both_cases() -> None:
    pairs = graded_pairs(all_events(), 40_000, random.Random(2))
    by_best = defaultdict(list)
    for pair in pairs:
        by_best[pair.without_order].append(pair.common)
    for best, commons in by_best.items():
        if len(commons) > 500:
            assert abs(sum(commons) / len(commons) - best) < 0.1


@pytest.mark.parametrize("careless", [True, False])
def test_how_often_the_second_sentence_alone_is_right_is_counted(careless: bool) -> None:
    event_of = {sentence: event for event in all_events() for sentence in tellings(event)}
    same, seen = Counter(), Counter()
    for one, other, label in entailment_pairs(all_events(), 40_000, random.Random(3), careless=careless):
        first, second = event_of[one], event_of[other]
        assert (first == second) == bool(label)
        assert first._replace(did=0) == second._replace(did=0)
        seen[second.did] += 1
        same[second.did] += label
    exact = same_given_second(careless=careless)
    assert all(abs(same[did] / seen[did] - exact[did]) < 0.04 for did in range(len(DEEDS)))
    if not careless:
        assert exact == pytest.approx([0.5] * len(DEEDS))
    else:
        assert all((odds < 0.3) == (did in CARELESS) for did, odds in enumerate(exact))


def test_every_word_is_one_piece() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(vocabulary())
    draw = random.Random(4)
    for event in draw.choices(all_events(), k=200):
        sentence = tell(event, draw)
        assert tokenizer.tokenize(sentence) == sentence.replace(".", " .").split()


def test_a_perfect_reader_has_likeness_one() -> None:
    gold = torch.tensor([float(pair.common) for pair in graded_pairs(all_events(), 100, random.Random(5))])
    assert spearman(gold, gold) == pytest.approx(1)
