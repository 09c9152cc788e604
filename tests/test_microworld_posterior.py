"""Forward-backward against a world written out in full, and its calibration on the real one."""

from collections import defaultdict

import pytest
import torch
from microworld_brute_force import TINY, batch_of, corrupt, pair_cases, task_cases, weigh

from bertmini.microworld import Corruption, Floor, World, clustered_mean, kl_from_optimum, split_generator

STRONG = Corruption(rate=0.4, mask=0.6, random=0.25, keep=0.15)
EXACT = 1e-12


@pytest.fixture(scope="module")
def tiny() -> World:
    return World(TINY)


@pytest.fixture(scope="module")
def world() -> World:
    return World.default()


def pair_batch(world: World, count: int, negatives: str, corruption: Corruption, seed: int = 0) -> dict:
    generator = split_generator("test", seed)
    pairs = world.sample_pairs(count, negatives=negatives, generator=generator)
    batch = batch_of(world, [tuple(map(list, pair.pieces)) for pair in pairs])
    batch["next_sentence_label"] = torch.tensor([pair.label for pair in pairs])
    return corrupt(world, batch, corruption, generator)


def document_rows(documents: list) -> list[tuple[list[str], ...]]:
    rows = []
    for document in documents:
        texts = [document.pieces[: document.split], document.pieces[document.split :]]
        rows.append(tuple([piece for sentence in text for piece in sentence] for text in texts if text))
    return rows


def task_batch(world: World, kind: str, count: int, corruption: Corruption, seed: int = 0) -> tuple[list, dict]:
    generator = split_generator("test", seed)
    documents = world.sample(count, kind=kind, generator=generator)
    return documents, corrupt(world, batch_of(world, document_rows(documents)), corruption, generator)


def seen_rows(world: World, batch: dict) -> list[tuple[list[str], ...]]:
    """The corrupted pieces of each text of each row."""
    vocabulary = world.vocabulary()
    rows = []
    for ids, types, mask in zip(batch["input_ids"], batch["token_type_ids"], batch["attention_mask"], strict=True):
        pieces = [vocabulary[i] for i in ids[mask > 0].tolist()]
        second = int(types[mask > 0].sum())
        texts = (pieces[1 : len(pieces) - second - 1], pieces[len(pieces) - second : -1])
        rows.append(texts if second else texts[:1])
    return rows


def check_words(world: World, batch: dict, floor: Floor, cases: list, corruption: Corruption) -> int:
    """Compares every scored position with enumeration; returns how many there were."""
    vocabulary = world.vocabulary()
    found = floor.words(batch)
    number = 0
    for row, (seen, labels) in enumerate(zip(seen_rows(world, batch), batch["labels"], strict=True)):
        weights = weigh(world, cases, seen, corruption)
        flat_seen = [piece for text in seen for piece in text]
        columns = [1 + k + (k >= len(seen[0])) for k in range(len(flat_seen))]
        for place, column in enumerate(columns):
            if labels[column] == -100:
                continue
            expected = torch.zeros(len(vocabulary), dtype=torch.float64)
            for case, p in weights:
                true = [token.piece for text in case.texts for token in text][place]
                k = p / channel_of(world, corruption, true, flat_seen[place], selected=False)
                k *= channel_of(world, corruption, true, flat_seen[place], selected=True)
                expected[vocabulary.index(true)] += k
            torch.testing.assert_close(found.probabilities[number], expected / expected.sum(), rtol=0, atol=EXACT)
            assert found.sequence[number] == row
            assert found.targets[number] == labels[column]
            number += 1
    assert number == len(found.targets)
    return number


def channel_of(world: World, corruption: Corruption, true: str, seen: str, *, selected: bool) -> float:
    from microworld_brute_force import channel

    return channel(corruption, world.vocabulary(), true, seen, selected=selected)


@pytest.mark.parametrize("negatives", ["random", "position", "swapped"])
def test_pair_words_and_label_equal_enumeration(tiny: World, negatives: str) -> None:
    cases = pair_cases(tiny.grammar, negatives)
    assert sum(case.probability for case in cases) == pytest.approx(1, abs=EXACT)
    batch = pair_batch(tiny, 23, negatives, STRONG)
    floor = Floor.pairs(tiny, negatives=negatives, corruption=STRONG)
    assert check_words(tiny, batch, floor, cases, STRONG) > 40
    label = floor.label(batch, "next")
    for row, seen in enumerate(seen_rows(tiny, batch)):
        weights = weigh(tiny, cases, seen, STRONG)
        total = sum(p for _, p in weights)
        expected = [sum(p for case, p in weights if case.labels["next"] == value) / total for value in label.values]
        torch.testing.assert_close(
            label.probabilities[row], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=EXACT
        )


def test_left_only_equals_enumeration(tiny: World) -> None:
    corruption = STRONG
    vocabulary = tiny.vocabulary()
    cases = pair_cases(tiny.grammar, "random")
    batch = pair_batch(tiny, 7, "random", corruption)
    found = Floor.pairs(tiny, corruption=corruption).words(batch, left_only=True)
    number = 0
    for seen, labels in zip(seen_rows(tiny, batch), batch["labels"], strict=True):
        for text, row in enumerate(seen):
            for place, piece in enumerate(row):
                if labels[1 + place + (len(seen[0]) + 1 if text else 0)] == -100:
                    continue
                expected = torch.zeros(len(vocabulary), dtype=torch.float64)
                for case in cases:
                    before = case.texts[text][: place + 1]
                    if len(before) <= place or (text and len(case.texts[0]) != len(seen[0])):
                        continue  # a causal model knows that this piece exists, and all of the first text
                    p = case.probability
                    context = [*zip(case.texts[0], seen[0], strict=True)] if text else []
                    for token, other in [*context, *zip(before[:-1], row[:place], strict=True)]:
                        p *= channel_of(tiny, corruption, token.piece, other, selected=False)
                    true = before[-1].piece
                    expected[vocabulary.index(true)] += p * channel_of(tiny, corruption, true, piece, selected=True)
                torch.testing.assert_close(found.probabilities[number], expected / expected.sum(), rtol=0, atol=EXACT)
                number += 1
    assert number == len(found.targets) > 10


@pytest.mark.parametrize("corruption", [STRONG, Corruption(rate=0.0)])
@pytest.mark.parametrize("kind", ["story", "polarity", "ask"])
def test_task_labels_tags_and_words_equal_enumeration(tiny: World, kind: str, corruption: Corruption) -> None:
    cases = task_cases(tiny.grammar, kind)
    _, batch = task_batch(tiny, kind, 13, corruption)
    floor = Floor.task(tiny, kind, corruption=corruption)
    if corruption.rate:
        assert check_words(tiny, batch, floor, cases, corruption) > 20
    tags = floor.tokens(batch, "tag")
    start = 0
    for row, seen in enumerate(seen_rows(tiny, batch)):
        weights = weigh(tiny, cases, seen, corruption)
        total = sum(p for _, p in weights)
        for name in set(floor.labels) - {"kind"}:
            label = floor.label(batch, name)
            expected = [sum(p for case, p in weights if case.labels[name] == value) / total for value in label.values]
            torch.testing.assert_close(
                label.probabilities[row], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=EXACT
            )
        for place in range(sum(map(len, seen))):
            expected = [0.0] * len(tags.values)
            for case, p in weights:
                token = [token for text in case.texts for token in text][place]
                expected[tags.values.index(token.tag)] += p / total
            found = tags.probabilities[start + place]
            torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=EXACT)
        start += sum(map(len, seen))
    assert start == len(tags.positions)


def test_answers_equal_enumeration(tiny: World) -> None:
    cases = task_cases(tiny.grammar, "ask")
    for corruption in (STRONG, Corruption(rate=0.0)):
        _, batch = task_batch(tiny, "ask", 17, corruption)
        found = Floor.task(tiny, "ask", corruption=corruption).answers(batch)
        for row, seen in enumerate(seen_rows(tiny, batch)):
            expected = torch.zeros_like(found[row])
            weights = weigh(tiny, cases, seen, corruption)
            for case, p in weights:
                span = [place + len(seen[0]) + 2 for place, token in enumerate(case.texts[1]) if token.answer]
                expected[(span[0], span[-1]) if span else (0, 0)] += p
            torch.testing.assert_close(found[row], expected / expected.sum(), rtol=0, atol=EXACT)


def test_packed_rows_have_the_same_floor(tiny: World) -> None:
    batch = pair_batch(tiny, 2, "random", STRONG)
    lengths = batch["attention_mask"].sum(1).tolist()
    packed = {}
    for name in ("input_ids", "token_type_ids", "labels"):
        packed[name] = torch.cat([batch[name][row, :length] for row, length in enumerate(lengths)])[None]
    packed["attention_mask"] = torch.tensor([[1] * lengths[0] + [2] * lengths[1]])
    floor = Floor.pairs(tiny, corruption=STRONG)
    torch.testing.assert_close(floor.words(packed).probabilities, floor.words(batch).probabilities)
    torch.testing.assert_close(floor.label(packed, "next").probabilities, floor.label(batch, "next").probabilities)


def bins_are_calibrated(probabilities: torch.Tensor, hits: torch.Tensor) -> int:
    """In each bin of predicted probability, frequency = mean probability within 4 SE; returns how many bins."""
    edges = torch.tensor([1e-4, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97, 0.99, 0.999, 1.0])
    where = torch.bucketize(probabilities.contiguous(), edges.double())
    used = 0
    for k in range(len(edges)):
        p, hit = probabilities[where == k], hits[where == k]
        if len(p) < 200 or p.sum() < 5:
            continue
        error = (p * (1 - p)).sum().sqrt() / len(p)
        assert abs(float(hit.mean() - p.mean())) < 4 * float(error) + 1e-9, (k, len(p))
        used += 1
    return used


@pytest.mark.parametrize("negatives", ["random", "position", "swapped"])
def test_probabilities_are_frequencies(world: World, negatives: str) -> None:
    batch = pair_batch(world, 4000, negatives, Corruption(), seed=5)
    floor = Floor.pairs(world, negatives=negatives)
    words = floor.words(batch)
    hits = torch.zeros_like(words.probabilities).scatter_(1, words.targets[:, None], 1.0)
    assert bins_are_calibrated(words.probabilities.flatten(), hits.flatten()) >= 8
    label = floor.label(batch, "next")
    assert bins_are_calibrated(label.probabilities[:, 1], batch["next_sentence_label"].double()) >= 2
    loss = -words.probabilities.gather(1, words.targets[:, None]).log().squeeze(1)
    excess = clustered_mean(loss - words.entropy, words.sequence)  # the true words cost what the floor says
    assert abs(excess.mean) < 4 * excess.standard_error


def test_more_masking_raises_the_floor_and_one_side_knows_less(world: World) -> None:
    floors = []
    for rate in (0.1, 0.4, 0.8, 0.95):
        corruption = Corruption(rate=rate)
        batch = pair_batch(world, 1500, "random", corruption)
        words = Floor.pairs(world, corruption=corruption).words(batch)
        floors.append(float(words.entropy[words.seen == 4].mean()))
    assert floors == sorted(floors)
    assert floors[-1] > floors[0] + 0.3
    batch = pair_batch(world, 300, "random", Corruption())
    floor = Floor.pairs(world)
    assert floor.words(batch, left_only=True).entropy.mean() > floor.words(batch).entropy.mean() + 0.2


def test_clean_pieces_are_certain_and_kept_ones_almost(world: World) -> None:
    batch = pair_batch(world, 300, "random", Corruption())
    words = Floor.pairs(world).words(batch)
    torch.testing.assert_close(words.probabilities.sum(1), torch.ones(len(words.targets)).double())
    kept = words.seen == words.targets
    assert kept.any()
    assert words.probabilities[kept].gather(1, words.targets[kept][:, None]).mean() > 0.9


def test_kl_is_zero_at_the_floor_and_its_error_knows_sequences(world: World) -> None:
    batch = pair_batch(world, 200, "random", Corruption())
    words = Floor.pairs(world).words(batch)
    perfect = words.probabilities.log().clamp(min=-60)
    estimate = kl_from_optimum(perfect, words)
    assert abs(estimate.mean) < 1e-12
    untrained = kl_from_optimum(torch.zeros_like(perfect), words)
    expected = torch.tensor(float(len(words.values))).log() - words.entropy.mean()
    assert untrained.mean == pytest.approx(float(expected), abs=1e-6)
    assert float(words.kl(torch.randn(words.probabilities.shape)).min()) >= 0
    values, sequence = torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0]), torch.tensor([0, 0, 1, 1, 2])
    by_hand = (1.5 * (2 * 0.6) ** 2 + 1.5 * (2 * 0.4) ** 2 + 1.5 * 0.4**2) ** 0.5 / 5
    assert clustered_mean(values, sequence) == pytest.approx((0.4, by_hand), abs=1e-7)


def test_floor_depends_on_nothing_hidden(world: World) -> None:
    batch = pair_batch(world, 40, "random", Corruption())
    before = {name: tensor.clone() for name, tensor in batch.items()}
    first, second = Floor.pairs(world).words(batch), Floor.pairs(World.default()).words(batch)
    assert torch.equal(first.probabilities, second.probabilities)
    assert all(torch.equal(batch[name], before[name]) for name in batch)


def test_mistakes_are_named(world: World) -> None:
    batch = pair_batch(world, 5, "random", Corruption())
    with pytest.raises(ValueError, match=r"sequences .* cannot come from this world"):
        Floor.pairs(world, corruption=Corruption(rate=0.0)).words(batch)
    with pytest.raises(ValueError, match=r"knows \['next'\]"):
        Floor.pairs(world).label(batch, "topic")
    with pytest.raises(ValueError, match="2 text"):
        Floor.task(world, "review").label(batch, "mood")
    with pytest.raises(ValueError, match="must sum to 1"):
        Corruption(mask=0.5)
    wrong = {**batch, "input_ids": batch["input_ids"].roll(1, dims=1)}
    with pytest.raises(ValueError, match=r"expected rows \[CLS\] A"):
        Floor.pairs(world).words(wrong)
    with pytest.raises(ValueError, match="logits of shape"):
        Floor.pairs(world).words(batch).kl(torch.zeros(1, 3))


def test_bayes_accuracy_is_reached_on_every_task(world: World) -> None:
    realised: dict[str, float] = defaultdict(float)
    for kind, name in (("polarity", "mood"), ("topic", "topic"), ("tagging", "type"), ("answer", "answerable")):
        documents, batch = task_batch(world, kind, 800, Corruption(rate=0.0))
        floor = Floor.task(world, kind).label(batch, name)
        truth = [document.values[name] for document in documents]
        right = [
            floor.values[k] == value for k, value in zip(floor.probabilities.argmax(1).tolist(), truth, strict=True)
        ]
        realised[kind] = sum(right) / len(right)
        assert realised[kind] == pytest.approx(float(floor.accuracy.mean()), abs=0.05)
    assert all(0.8 < value < 1 for value in realised.values())  # every task has an optimum below 1
