"""The quick sampler draws what the slow one draws: the same pairs, as often."""

from collections import Counter

import torch

from bertmini.microworld import World
from bertmini.microworld.bulk import BulkSampler, Table


def test_table_draws_each_value_as_often_as_it_should() -> None:
    import numpy as np

    table = Table([[(7, 0.25), (3, 0.75)], [(5, 1.0)]])
    drawn = table.draw(np.array([0] * 40_000 + [1] * 10), np.random.default_rng(0))
    assert set(drawn[40_000:]) == {5}
    share = float((drawn[:40_000] == 7).mean())
    assert abs(share - 0.25) < 4 * (0.25 * 0.75 / 40_000) ** 0.5
    assert set(drawn[:40_000]) == {3, 7}


def test_bulk_pairs_have_the_distribution_of_sample_pairs() -> None:
    world = World.default()
    pieces = world.vocabulary()
    first, second, labels = BulkSampler(world).sample(6_000, torch.Generator().manual_seed(1))
    slow = world.sample_pairs(6_000, generator=torch.Generator().manual_seed(2))
    here = Counter(piece for sentences in (first, second) for ids in sentences for piece in ids)
    there = Counter(pieces.index(piece) for pair in slow for sentence in pair.pieces for piece in sentence)
    total = here.total(), there.total()
    chi_square = sum(
        (here[i] * (total[1] / total[0]) ** 0.5 - there[i] * (total[0] / total[1]) ** 0.5) ** 2 / (here[i] + there[i])
        for i in here | there
    )
    freedom = len(here | there) - 1
    # Pieces of one sentence go together, so the statistic spreads more than that of independent draws would.
    assert chi_square < freedom + 8 * (2 * freedom) ** 0.5
    mean_length = sum(map(len, first)) / len(first), sum(len(pair.pieces[0]) for pair in slow) / len(slow)
    assert abs(mean_length[0] - mean_length[1]) < 0.15
    assert abs(sum(labels) / len(labels) - 0.5) < 4 * 0.5 / 6_000**0.5


def test_every_bulk_sentence_is_one_that_the_world_can_say() -> None:
    world = World.default()
    possible = {
        tuple(sentence)
        for pair in world.sample_pairs(60_000, generator=torch.Generator().manual_seed(3))
        for sentence in pair.pieces
    }
    pieces = world.vocabulary()
    first, second, _ = BulkSampler(world).sample(300, torch.Generator().manual_seed(4))
    known = [tuple(pieces[i] for i in ids) in possible for ids in (*first, *second)]
    assert sum(known) / len(known) > 0.5  # most are common enough to be met again
    assert all(pieces[ids[-1]] in ".?" for ids in (*first, *second))


def test_bulk_repeats_itself_from_the_same_seed() -> None:
    sampler = BulkSampler(World.default(), "position")
    draws = [sampler.sample(50, torch.Generator().manual_seed(9)) for _ in range(2)]
    assert draws[0] == draws[1]
    assert draws[0] != sampler.sample(50, torch.Generator().manual_seed(10))
