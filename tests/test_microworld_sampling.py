"""Documents, pairs, labels, splits, held-out combinations and the twin language."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

import pytest
import torch
from microworld_brute_force import TINY, pair_cases, strings, task_cases

from bertmini.microworld import World, split_generator
from bertmini.microworld.compile import Sentence
from bertmini.microworld.sampling import to_text
from bertmini.microworld.twin import twin_piece


@pytest.fixture(scope="module")
def world() -> World:
    return World.default()


def surprising(counts: Counter, expected: dict, total: int) -> list:
    """What is impossible and was drawn, or was drawn more than 5 standard errors too often or too seldom."""
    impossible = [key for key in counts if key not in expected]
    return impossible + [
        key
        for key, p in expected.items()
        if not abs(counts[key] / total - p) <= 5 * (p * (1 - p) / total) ** 0.5 + 3 / total
    ]


def test_documents_are_drawn_with_the_probabilities_of_the_grammar() -> None:
    tiny, n = World(TINY), 20_000
    expected: Counter = Counter()
    for case in task_cases(tiny.grammar, "ask"):
        expected[tuple(tuple(token.piece for token in text) for text in case.texts)] += case.probability
    documents = tiny.sample(n, kind="ask", generator=split_generator("train"))
    drawn = Counter((d.pieces[0], tuple(piece for sentence in d.pieces[1:] for piece in sentence)) for d in documents)
    assert surprising(drawn, expected, n) == []


@pytest.mark.parametrize("negatives", ["random", "position", "swapped"])
def test_pairs_are_drawn_by_the_rule_in_words(negatives: str) -> None:
    tiny, n = World(TINY), 20_000
    expected: Counter = Counter()
    for case in pair_cases(tiny.grammar, negatives):
        key = (case.labels["next"], *(tuple(token.piece for token in text) for text in case.texts))
        expected[key] += case.probability
    pairs = tiny.sample_pairs(n, negatives=negatives, generator=split_generator("train"))
    assert surprising(Counter((str(pair.label), *pair.pieces) for pair in pairs), expected, n) == []


def test_paths_of_the_graph_are_the_strings_of_the_rules() -> None:
    tiny = World(TINY)
    for sentence in (Sentence("Scene", ("sea",)), Sentence("Start", ("farm", "ada")), Sentence("Claim", ("bad",))):
        expected: Counter = Counter()
        for p, tokens in strings(tiny.grammar, sentence):
            expected[tuple((token.piece, token.tag) for token in tokens)] += p
        found: Counter = Counter()
        for p, path in tiny.graph.paths(tiny.graph.text([sentence])):
            found[tuple((piece, label.tag) for piece, label in path)] += p
        assert found == pytest.approx(expected, abs=1e-15)


def test_same_generator_same_documents(world: World) -> None:
    first = world.sample(50, generator=split_generator("train", 7))
    assert first == World.default().sample(50, generator=split_generator("train", 7))
    assert first != world.sample(50, generator=split_generator("train", 8))
    pairs = [world.sample_pairs(50, generator=split_generator("test", 3)) for _ in range(2)]
    assert pairs[0] == pairs[1]


def test_splits_never_share_a_seed() -> None:
    seeds = [
        split_generator(split, seed).initial_seed() for split in ("train", "validation", "test") for seed in range(50)
    ]
    assert len(set(seeds)) == 150
    with pytest.raises(ValueError, match="split 'dev'"):
        split_generator("dev")


def test_text_and_labels_of_a_document(world: World) -> None:
    documents = world.sample(300, kind="tagging", generator=split_generator("train"))
    for document in documents:
        words, tags = document.words()
        assert len(words) == len(tags)
        assert to_text(words) == document.text
        for before, tag in zip(["O", *tags], tags, strict=False):
            assert not tag.startswith("I-") or before[1:] == tag[1:]
    seen = {tag for document in documents for tag in document.words()[1]}
    assert {"O", "B-PER", "I-PER", "B-LOC", "B-ORG"} <= seen
    names: dict[str, set[str]] = {}
    for word, tag in (pair for document in documents for pair in zip(*document.words(), strict=True)):
        names.setdefault(word, set()).add(tag[2:])
    assert sum({"PER", "LOC", "ORG"} <= kinds for kinds in names.values()) >= 5  # told apart by context only


def test_answers_are_where_they_say(world: World) -> None:
    documents = world.sample(600, kind="answer", generator=split_generator("train"))
    unanswerable = [d for d in documents if d.values["answerable"] == "no"]
    assert abs(len(unanswerable) / len(documents) - 1 / 3) < 0.08
    for document in documents:
        found = document.answer()
        assert (found is None) == (document.values["answerable"] == "no")
        if found:
            pieces = [piece for sentence in document.pieces[1:] for piece in sentence]
            assert document.pair is not None
            assert to_text(pieces[found[0] : found[1] + 1]) in document.pair


def test_stories_have_one_topic_sentence_and_matches_a_graded_overlap(world: World) -> None:
    for document in world.sample(200, kind="story", generator=split_generator("train")):
        assert document.asked is not None
        assert document.sentences[document.asked].startswith("it was")
        assert document.values["topic"] in {"river", "garden", "office"}
    shared = Counter(d.values["shared"] for d in world.sample(2000, kind="match", generator=split_generator("train")))
    assert set(shared) == {"0", "1", "2", "3"}
    assert abs(shared["3"] / 2000 - 0.4) < 0.06


def test_held_out_combinations_are_never_in_normal_text(world: World) -> None:
    hidden = {("judge", "take"), ("cook", "lose"), ("clerk", "sell"), ("baker", "find")}
    normal = world.sample(2000, kind="report", generator=split_generator("train"))
    assert not {(d.values["agent"], d.values["deed"]) for d in normal} & hidden
    held_out = world.sample(200, kind="report", held_out=True, generator=split_generator("train"))
    assert {(d.values["agent"], d.values["deed"]) for d in held_out} == hidden
    with pytest.raises(ValueError, match="no held-out combination"):
        world.sample(1, kind="review", held_out=True, generator=split_generator("train"))
    with pytest.raises(ValueError, match="kind 'poem': expected one of"):
        world.sample(1, kind="poem", generator=split_generator("train"))
    with pytest.raises(ValueError, match="negatives 'hard'"):
        world.sample_pairs(1, negatives="hard", generator=split_generator("train"))  # type: ignore[arg-type]


def twin_sentence(pieces: Sequence[str]) -> list[str]:
    """Translate one sentence: words in reverse order, the mark at its end kept there."""
    words: list[list[str]] = []
    for piece in pieces:
        if piece.startswith("##"):
            words[-1].append(piece)
        else:
            words.append([piece])
    end = words[-1:] if words[-1][0] in (".", "?") else []
    turned = words[: len(words) - len(end)][::-1] + end
    return [twin_piece(piece) for word in turned for piece in word]


def test_the_oracle_for_the_twin_by_hand() -> None:
    assert twin_sentence(["the", "bat", "##s", "were", "out", "."]) == ["uad", "wili", "ped", "##z", "dhi", "."]


def test_twin_says_the_same_in_other_words_and_order() -> None:
    tiny = World(TINY)
    twin = tiny.twin()
    assert not set(tiny.vocabulary()[5:]) & set(twin.vocabulary()[5:]) - {".", "?", ","}
    for name, values in (("Scene", ("sea",)), ("Start", ("sea", "bea")), ("Ask", ("ada",)), ("Claim", ("good",))):
        entry = tiny.graph.text([Sentence(name, values)])
        translated: Counter = Counter()
        for p, path in tiny.graph.paths(entry):
            translated[tuple(twin_sentence([piece for piece, _ in path]))] += p
        found: Counter = Counter()
        for p, path in twin.graph.paths(twin.graph.text([Sentence(name, values)])):
            found[tuple(piece for piece, _ in path)] += p
        assert found == pytest.approx(translated, abs=1e-15)


def test_another_process_draws_the_same(world: World) -> None:
    """Sets of strings change their order from process to process; the world must not."""
    code = (
        "from bertmini.microworld import World, split_generator;"
        "print([d.sentences for d in World.default().sample(20, generator=split_generator('train'))])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    here = [d.sentences for d in world.sample(20, generator=split_generator("train"))]
    assert other.stdout.strip() == str(here)


def test_samples_draw_from_the_generator_only() -> None:
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    World(TINY).sample(5, generator=split_generator("train"))
    assert torch.equal(before, torch.random.get_rng_state())
