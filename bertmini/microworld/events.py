"""Events: who did what to whom, and where, told in several ways, so that it is known how alike two sentences are.

Each part of an event has two names that share no word, and an event is told in four forms, in two of which the one
who acted comes last. How alike two sentences are is the share of the four parts that their events have in
common. Every sentence tells one event only, so a perfect reader gets every likeness right; a reader of loose words
cannot know who acted and who was acted upon, and what is best for it is known as well.

The world's documents tell stories; these are loose sentences, told for comparison. Left out on purpose: events of other
shapes, sentences that say less than the whole. Taught in chapter 11.
"""

import random
from itertools import permutations, product
from typing import NamedTuple

PEOPLE = (
    ("ada", "the baker"), ("bea", "the singer"), ("clara", "the doctor"), ("dora", "the judge"),
    ("bruno", "the teacher"), ("hugo", "the farmer"), ("ivan", "the tailor"), ("otto", "the sailor"),
)  # fmt: skip
DEEDS = (
    ("praised", "lauded"), ("helped", "assisted"), ("scolded", "rebuked"), ("phoned", "rang"),
    ("followed", "trailed"), ("tricked", "fooled"), ("painted", "portrayed"), ("greeted", "welcomed"),
)  # fmt: skip
PLACES = (
    ("in the garden", "among roses"), ("at the harbour", "near ships"), ("in the kitchen", "beside pans"),
    ("at the station", "near trains"), ("in the library", "among books"), ("at the market", "beside stalls"),
)  # fmt: skip
FORMS = (
    "{who} {did} {whom} {where}.",
    "{where} {whom} was {did} by {who}.",
    "it was {who} who {did} {whom} {where}.",
    "it was {whom} whom {who} {did} {where}.",
)
CARELESS = {2: 0.4, 5: 0.4}  # the deeds that come to a careless writer's mind: scolded, tricked


class Event(NamedTuple):
    """Who did what to whom, and where: each a number."""

    who: int
    did: int
    whom: int
    where: int

    def turned(self) -> "Event":
        """The same with the roles of the two people exchanged."""
        return self._replace(who=self.whom, whom=self.who)


class Pair(NamedTuple):
    """Two sentences and the number of parts, 0 to 4, that their events have in common."""

    one: str
    other: str
    common: int
    without_order: float
    """The mean number that is best for those who do not know who acted in them."""


def all_events() -> list[Event]:
    """Every event there is, in a fixed order."""
    people = permutations(range(len(PEOPLE)), 2)
    return [
        Event(who, did, whom, where)
        for (who, whom), did, where in product(people, range(len(DEEDS)), range(len(PLACES)))
    ]


def split_events(held_out: float = 0.25) -> tuple[list[Event], list[Event]]:
    """Events to learn from and events to be asked about; an event and its turned twin are on the same side."""
    couples = [event for event in all_events() if event.who < event.whom]
    random.Random(0).shuffle(couples)
    cut = int(held_out * len(couples))
    asked, known = ([each for e in part for each in (e, e.turned())] for part in (couples[:cut], couples[cut:]))
    return known, asked


def tell(event: Event, draw: random.Random) -> str:
    """Tell an event in one of the forms, each part by one of its names.

    >>> tell(Event(who=0, did=0, whom=4, where=1), random.Random(3))
    'ada lauded bruno near ships.'
    """
    who, whom = (draw.choice(PEOPLE[number]) for number in (event.who, event.whom))
    did, where = draw.choice(DEEDS[event.did]), draw.choice(PLACES[event.where])
    return draw.choice(FORMS).format(who=who, did=did, whom=whom, where=where)


def in_common(one: Event, other: Event) -> int:
    """How many of the four parts are the same.

    >>> in_common(Event(0, 3, 1, 2), Event(0, 3, 1, 2).turned())
    2
    """
    return sum(a == b for a, b in zip(one, other, strict=True))


def changed(event: Event, parts: int, draw: random.Random) -> Event:
    """The event with so many of its parts, drawn at random, made different."""
    which = draw.sample(Event._fields, parts)
    while True:
        new = event._replace(
            who=draw.randrange(len(PEOPLE)) if "who" in which else event.who,
            did=draw.randrange(len(DEEDS)) if "did" in which else event.did,
            whom=draw.randrange(len(PEOPLE)) if "whom" in which else event.whom,
            where=draw.randrange(len(PLACES)) if "where" in which else event.where,
        )
        if new.who != new.whom and in_common(event, new) == 4 - parts:
            return new


def graded_pairs(events: list[Event], count: int, draw: random.Random) -> list[Pair]:
    """Pairs of sentences that have 0 to 4 parts in common, and then a coin turns the second event's roles or not.

    Because of the coin the words do not say who acted, so the best guess from words alone is the mean of both cases.
    """
    pairs = []
    for _ in range(count):
        one = draw.choice(events)
        other = changed(one, draw.randrange(5), draw)
        other = draw.choice([other, other.turned()])
        mean = (in_common(one, other) + in_common(one, other.turned())) / 2
        pairs.append(Pair(tell(one, draw), tell(other, draw), in_common(one, other), mean))
    return pairs


def entailment_pairs(
    events: list[Event], count: int, draw: random.Random, *, careless: bool
) -> list[tuple[str, str, int]]:
    """Two sentences, and 1 if the second says the same as the first, 0 if its deed is another one.

    The other deed is drawn evenly, or as a careless writer does: mostly one of two that come to mind.
    """
    pairs = []
    for _ in range(count):
        event, label = draw.choice(events), draw.randrange(2)
        said = event if label else event._replace(did=draw.choices(range(len(DEEDS)), _other(event.did, careless))[0])
        pairs.append((tell(event, draw), tell(said, draw), label))
    return pairs


def same_given_second(*, careless: bool) -> list[float]:
    """For each deed of the second sentence, the exact probability that it says the same as a first one not seen."""
    deeds = range(len(DEEDS))
    even = 1 / len(DEEDS)
    drawn = [
        sum(even * weights[did] / sum(weights) for weights in (_other(d, careless) for d in deeds)) for did in deeds
    ]
    return [even / (even + wrong) for wrong in drawn]


def _other(did: int, careless: bool) -> list[float]:
    """The weight of each deed as the wrong one."""
    rest = (1 - sum(CARELESS.values())) / (len(DEEDS) - len(CARELESS))
    weights = [CARELESS.get(number, rest) if careless else 1.0 for number in range(len(DEEDS))]
    weights[did] = 0.0
    return weights


def vocabulary() -> list[str]:
    """The special tokens and every word, each a piece of its own."""
    names = [name for part in (PEOPLE, DEEDS, PLACES) for pair in part for name in pair]
    words = " ".join([*names, *FORMS]).replace(".", " . ").split()
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({word for word in words if "{" not in word})]
