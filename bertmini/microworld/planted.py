"""A small world with a planted rule: which of two words the answer depends on is known, and told by a third word.

The idea: whether a method explains a prediction can only be graded where the true cause is known. Here a line says what
two people like, and a pronoun at its end says whose wish is met:

    ada likes tea , bruno likes milk . at noon she gets tea .

In the *world* one gets one's own wish: with `she` the first wish is the cause, with `he` the second, and the
other wish has no influence at all. In its *twin* one gets the other's. But for the last word both say the same lines
equally often: whatever is in the words alone cannot tell the two causes apart. Once in ten lines the answer is drawn
from all four, whatever was wished.

All words but the answer are independent, so each may be changed alone and the line stays one that the world
says: the effect of a word is an exact difference of posteriors, a mean over the words that might have stood there.
Left out on purpose: causes that come in groups, words that hang together.
Taught in chapter 14.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from bertmini.config import CLS, IGNORED, MASK, SEP, SPECIAL_TOKENS
from bertmini.microworld.posterior import Floor
from bertmini.microworld.world import World

WISHES = ("tea", "milk", "coffee", "cocoa")
OWN = 0.9  # how often the rule decides; else the answer is drawn from all wishes
# Where words stand that may be changed, [CLS] counted, and what may stand there, all equally often.
SLOTS = {
    1: ("ada", "bea", "clara"),
    3: WISHES,
    5: ("bruno", "hugo", "otto"),
    7: WISHES,
    10: ("dawn", "noon", "night"),
    11: ("she", "he"),
}
PRONOUN, ASKED, LENGTH = 11, 13, 16
Predict = Callable[[Tensor], Tensor]
"""From lines (N, S), the answer masked, to the probability of every piece there, (N, V)."""


def planted_world(*, twin: bool = False) -> World:
    """The world, or its twin, in which the pronoun means the other person's wish."""
    she, he = ("Second[second]", "First[first]") if twin else ("First[first]", "Second[second]")
    return World(
        f"""
feature first   = {" | ".join(WISHES)}
feature second  = {" | ".join(WISHES)}
feature pronoun = she | he
document line 1 = Line[first second pronoun]
Line[first second she] = Woman likes $first , Man likes $second . at When she gets {she} .
Line[first second he]  = Woman likes $first , Man likes $second . at When he gets {he} .
First[first]   = {OWN:g} $first | {1 - OWN:g} Any
Second[second] = {OWN:g} $second | {1 - OWN:g} Any
Any   = {" | ".join(WISHES)}
Woman = {" | ".join(SLOTS[1])}
Man   = {" | ".join(SLOTS[5])}
When  = {" | ".join(SLOTS[10])}
"""
    )


class Cause(NamedTuple):
    """Where the wish stands that decides, and where the one that decides nothing: (B,) each."""

    cause: Tensor
    decoy: Tensor


def planted_lines(world: World, count: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Sampled lines whose answer is masked, ids (N, S), and the answers (N,)."""
    number = {piece: i for i, piece in enumerate(world.vocabulary())}
    lines = world.sample(count, generator=generator, kind="line")
    rows = [[number[CLS], *(number[piece] for piece in line.pieces[0]), number[SEP]] for line in lines]
    ids = torch.tensor(rows)
    answers = ids[:, ASKED].clone()
    ids[:, ASKED] = number[MASK]
    return ids, answers


def undecided(ids: Tensor) -> Tensor:
    """The lines in which the two wishes differ: where the pronoun matters."""
    return ids[ids[:, 3] != ids[:, 7]]


def planted_batches(
    ids: Tensor, answers: Tensor, mask: int, *, generator: torch.Generator, size: int = 64
) -> Iterator[dict[str, Tensor]]:
    """Endless batches that ask for the answer; in half of the lines other words are masked too, at a rate of 0 to 1.

    Without these, a line with a word taken out would be nothing that the model has ever seen.
    """
    while True:
        rows = torch.randint(len(ids), (size,), generator=generator)
        rate = torch.rand(size, 1, generator=generator) * (torch.rand(size, 1, generator=generator) < 0.5)
        hidden = (torch.rand(size, ids.shape[1], generator=generator) < rate) & (ids[rows] >= len(SPECIAL_TOKENS))
        batch = ids[rows].masked_fill(hidden, mask)
        labels = torch.full_like(batch, IGNORED)
        labels[:, ASKED] = answers[rows]
        yield {"input_ids": batch, "attention_mask": torch.ones_like(batch), "labels": labels}


def planted_cause(world: World, ids: Tensor, *, twin: bool = False) -> Cause:
    """Which wish decides in each line (B, S), by the rule of the world or of its twin."""
    first = (ids[:, PRONOUN] == world.vocabulary().index("she")) != twin
    return Cause(torch.where(first, 3, 7), torch.where(first, 7, 3))


def planted_optimum(world: World) -> Predict:
    """The exact posterior of the answer, as a function of lines."""
    floor = Floor.task(world, "line")

    def predict(ids: Tensor) -> Tensor:
        labels = torch.full_like(ids, IGNORED)
        labels[:, ASKED] = world.vocabulary().index(WISHES[0])  # any: the floor asks where, not what
        batch = {"input_ids": ids, "token_type_ids": 0 * ids, "attention_mask": torch.ones_like(ids), "labels": labels}
        return floor.words(batch).probabilities

    return predict


def swap_words(world: World, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Every line with one word replaced by each that may stand there: (B, K, S), and where, (K,)."""
    number = {piece: i for i, piece in enumerate(world.vocabulary())}
    places = torch.tensor([place for place, words in SLOTS.items() for _ in words])
    words = torch.tensor([number[word] for words in SLOTS.values() for word in words])
    swapped = ids[:, None].expand(-1, len(places), -1).clone()
    swapped[:, torch.arange(len(places)), places] = words
    return swapped, places


def planted_effects(world: World, ids: Tensor, predict: Predict) -> Tensor:
    """What the best guess loses, on average, when a word is drawn anew: (B, S), in nats.

    That is log p(guess | line) minus its mean over the words that may stand there; with `planted_optimum` it is exact,
    with a model's predictions it is what the model does.
    """
    swapped, places = swap_words(world, ids)
    whole = predict(ids).log()
    guess = whole.argmax(1)
    after = predict(swapped.flatten(0, 1)).log().view(len(ids), len(places), -1)
    after = after.gather(2, guess[:, None, None].expand(-1, len(places), 1))[..., 0]  # (B, K)
    effects = torch.zeros(ids.shape, dtype=after.dtype)
    for place in SLOTS:
        effects[:, place] = whole.gather(1, guess[:, None])[:, 0] - after[:, places == place].mean(1)
    return effects
