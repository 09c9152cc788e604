"""The inside algorithm and its derivative against all sentences of a small grammar."""

from collections import defaultdict
from functools import cache

import pytest
import torch
from microworld_brute_force import batch_of, channel, corrupt

from bertmini.microworld import Corruption, PcfgWorld, clustered_mean, split_generator

SMALL = """
S    = 0.6 A V | 0.4 A Rest
Rest = V A
A    = 0.5 snail | 0.3 gnome | 0.2 A Rel
Rel  = That Gap
Gap  = A V
V    = 0.7 sulks | 0.3 snail
That = that
"""
STRONG = Corruption(rate=0.4, mask=0.6, random=0.25, keep=0.15)


def enumerate_strings(world: PcfgWorld, symbol: str, length: int) -> dict[tuple[str, ...], float]:
    """Every string of `length` pieces of a symbol and its probability, by the definition."""

    @cache
    def strings(symbol: str, length: int) -> dict[tuple[str, ...], float]:
        found: dict[tuple[str, ...], float] = defaultdict(float)
        if length == 1:
            for p, word in world.lexical[symbol]:
                found[(word,)] += p
        for p, left, right in world.binary[symbol]:
            for split in range(1, length):
                for a, q in strings(left, split).items():
                    for b, r in strings(right, length - split).items():
                        found[a + b] += p * q * r
        return dict(found)

    return strings(symbol, length)


def nested_batch(world: PcfgWorld, count: int, corruption: Corruption, max_length: int, seed: int = 0) -> dict:
    generator = split_generator("test", seed)
    sentences = world.sample(count, generator=generator, max_length=max_length)
    batch = batch_of(world, [(list(sentence.pieces),) for sentence in sentences])
    return corrupt(world, batch, corruption, generator)


def test_inside_equals_enumeration() -> None:
    world = PcfgWorld(SMALL)
    vocabulary = world.vocabulary()
    for length in range(2, 8):
        strings = enumerate_strings(world, "S", length)
        if not strings:
            continue  # this language has no sentence of four words
        rows = torch.tensor([[vocabulary.index(piece) for piece in string] for string in strings])
        found = world.log_probability(torch.eye(len(vocabulary), dtype=torch.float64)[rows]).exp()
        torch.testing.assert_close(found, torch.tensor(list(strings.values()), dtype=torch.float64), rtol=1e-12, atol=0)
        anything = torch.ones(1, length, len(vocabulary), dtype=torch.float64)
        assert float(world.log_probability(anything).exp()) == pytest.approx(sum(strings.values()), abs=1e-14)


@pytest.mark.parametrize("corruption", [STRONG, Corruption(rate=0.3, mask=1.0, random=0.0, keep=0.0)])
def test_words_equal_enumeration(corruption: Corruption) -> None:
    world = PcfgWorld(SMALL)
    vocabulary = world.vocabulary()
    batch = nested_batch(world, 60, corruption, max_length=8)
    found = world.words(batch, corruption=corruption)
    number = 0
    for ids, labels, mask in zip(batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True):
        seen = [vocabulary[i] for i in ids[mask > 0].tolist()][1:-1]
        for place in (labels[1 : len(seen) + 1] != -100).nonzero().flatten().tolist():
            expected = torch.zeros(len(vocabulary), dtype=torch.float64)
            for string, p in enumerate_strings(world, "S", len(seen)).items():
                for i, (true, piece) in enumerate(zip(string, seen, strict=True)):
                    p *= channel(corruption, vocabulary, true, piece, selected=i == place)
                expected[vocabulary.index(string[place])] += p
            torch.testing.assert_close(found.probabilities[number], expected / expected.sum(), rtol=0, atol=1e-12)
            assert found.targets[number] == labels[place + 1]
            number += 1
    assert number == len(found.targets) > 40


def test_sampled_sentences_have_the_probabilities_of_the_grammar() -> None:
    world = PcfgWorld(SMALL)
    n = 20_000
    sentences = world.sample(n, generator=split_generator("train"), max_length=5)
    expected = {s: p for length in range(2, 6) for s, p in enumerate_strings(world, "S", length).items()}
    total = sum(expected.values())
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    for sentence in sentences:
        counts[sentence.pieces] += 1
    assert set(counts) <= set(expected)
    for string, p in expected.items():
        share = p / total
        assert abs(counts[string] / n - share) <= 5 * (share * (1 - share) / n) ** 0.5 + 3 / n


def test_default_world_nests_agrees_and_is_repeatable() -> None:
    world = PcfgWorld()
    sentences = world.sample(400, generator=split_generator("train"))
    assert sentences == PcfgWorld().sample(400, generator=split_generator("train"))
    assert {0, 1, 2} <= {sentence.depth for sentence in sentences}
    assert max(len(sentence.pieces) for sentence in sentences) <= 16
    assert len(world.vocabulary()) <= 40
    for sentence in sentences:
        assert sentence.depth <= sentence.pieces.count("that")
        top = [symbol for symbol, first, last in sentence.spans if (first, last) == (0, len(sentence.pieces) - 1)]
        assert top[0] == "Sentence"
        subject = next(symbol for symbol, first, _ in sentence.spans[1:] if first == 0)
        verb = next(symbol for symbol, _, last in sentence.spans[1:] if last == len(sentence.pieces) - 1)
        assert (subject, verb) in {("One", "DoesOne"), ("Many", "DoesMany")}


def test_floor_is_calibrated_and_agreement_is_known() -> None:
    world = PcfgWorld()
    batch = nested_batch(world, 600, Corruption(), max_length=16, seed=4)
    words = world.words(batch)
    loss = -words.probabilities.gather(1, words.targets[:, None]).log().squeeze(1)
    excess = clustered_mean(loss - words.entropy, words.sequence)
    assert abs(excess.mean) < 4 * excess.standard_error
    text = ["the", "snail", "that", "the", "herons", "that", "the", "gnome", "[MASK]", "fear", "sulks"]
    ids = [world.vocabulary().index(piece) for piece in text]
    labels = [world.vocabulary().index("sees") if piece == "[MASK]" else -100 for piece in text]
    one = {"input_ids": torch.tensor([[2, *ids, 3]]), "labels": torch.tensor([[-100, *labels, -100]])}
    p = world.words(one, corruption=Corruption(rate=0.0)).probabilities[0]
    likely = {piece: float(p[number]) for number, piece in enumerate(world.vocabulary()) if p[number] > 1e-12}
    assert likely == pytest.approx({"sees": 0.4, "fears": 0.3, "follows": 0.2, "admires": 0.1})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.6 A V", "0.5 A V", r"line 2: 'S': the probabilities sum to 0.9"),
        ("A Rest", "A Rust", r"line 2: unknown symbol 'Rust'; did you mean 'Rest'"),
        ("V A", "V A V", r"line 3: 'V A V': in normal form"),
        ("That = that", "That = that\nSpare = spade", r"line 9: no sentence ever reaches 'Spare'"),
        ("0.5 snail | 0.3 gnome | 0.2 A Rel", "0.1 snail | 0.1 gnome | 0.8 A Rel", r"grow without end"),
        ("That = that", "That = that\nV = gnome", r"line 9: 'V': expected a Capitalised symbol that has no line yet"),
    ],
)
def test_wrong_grammars_are_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PcfgWorld(SMALL.replace(old, new, 1))
