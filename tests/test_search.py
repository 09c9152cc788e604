"""Search: BM25 worked by hand, neighbours beside a search by brute force."""

import math
import re
import textwrap

import pytest
import torch

from bertmini.search import BM25, nearest, recall_at, words_of

TEXTS = ["the seal and the boat", "a boat", "the garden, the rose, the SEAL: a seal"]


def test_words() -> None:
    assert words_of("Where's Zoë's 2nd boat?") == ["where", "s", "zoë", "s", "2nd", "boat"]
    assert words_of("?!") == []


def test_bm25_worked_by_hand() -> None:
    index = BM25(TEXTS, k1=1.2, b=0.75)
    mean = (5 + 2 + 8) / 3
    rarity = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))  # "seal" and "boat" stand in two texts each
    seal = [rarity * n * 2.2 / (n + 1.2 * (0.25 + 0.75 * length / mean)) for n, length in ((1, 5), (0, 2), (2, 8))]
    boat = [rarity * n * 2.2 / (n + 1.2 * (0.25 + 0.75 * length / mean)) for n, length in ((1, 5), (1, 2), (0, 8))]
    assert index.scores("seal") == pytest.approx(seal)
    assert index.scores("Boat, seal & heron") == pytest.approx([a + b for a, b in zip(seal, boat, strict=True)])
    assert index.scores("seal seal") == pytest.approx([2 * score for score in seal])
    assert index.scores("heron") == [0, 0, 0]


def test_the_best_comes_first_and_of_equals_the_first() -> None:
    index = BM25(TEXTS)
    assert index.search("boat", k=2) == [1, 0]
    assert index.search("heron", k=9) == [0, 1, 2]


def test_words_in_every_text_still_count_a_little() -> None:
    assert BM25(["seal"] * 3).scores("seal") == pytest.approx([math.log(1 + 0.5 / 3.5)] * 3)


def test_long_texts_count_alike_without_b() -> None:
    first, second = BM25(["seal", "seal boat boat boat"], b=0).scores("seal")
    assert first == second


def test_other_words() -> None:
    assert BM25(["中文", "文字"], split=list).search("字", k=1) == [1]


@pytest.mark.parametrize("texts", [[], ["", "?"]])
def test_nothing_to_find_is_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match=f"no words in {len(texts)} texts"):
        BM25(texts)


def test_neighbours_by_brute_force() -> None:
    queries, vectors = torch.randn(3, 5), torch.randn(7, 5)
    cosines, numbers = nearest(queries, vectors, k=4)
    every = torch.nn.functional.cosine_similarity(queries[:, None], vectors[None], dim=-1)
    assert numbers.tolist() == [sorted(range(7), key=lambda n: -row[n])[:4] for row in every.tolist()]
    torch.testing.assert_close(cosines, every.gather(1, numbers))


def test_length_does_not_matter() -> None:
    assert nearest(torch.tensor([[1.0, 0.1]]), torch.tensor([[100.0, 90.0], [0.1, 0.0]]), k=1)[1].tolist() == [[1]]


@pytest.mark.parametrize(
    ("queries", "vectors", "k", "message"),
    [
        (torch.ones(3), torch.ones(2, 3), 1, r"queries \(3,\)"),
        (torch.ones(2, 4), torch.ones(2, 3), 1, r"vectors \(2, 3\)"),
        (torch.ones(1, 3), torch.ones(2, 3), 3, "k is 3: expected 1 to 2"),
        (torch.ones(1, 3), torch.ones(2, 3), 0, "k is 0"),
        (torch.zeros(1, 3), torch.ones(2, 3), 1, "a vector of zeros"),
    ],
)
def test_what_cannot_be_compared_is_refused(queries: torch.Tensor, vectors: torch.Tensor, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nearest(queries, vectors, k=k)


def test_recall() -> None:
    found = [[0, 1, 2], [2, 1, 0], [1, 0, 2]]
    assert [recall_at(found, [0, 0, 0], k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])


def test_the_bridge_to_faiss_finds_the_same() -> None:
    """The three lines that `nearest` shows, where FAISS is installed."""
    faiss = pytest.importorskip("faiss", reason="FAISS is not installed: pip install faiss-cpu")
    vectors, queries = torch.randn(500, 32), torch.randn(20, 32)
    (lines,) = re.findall(r"\n {8}(index = faiss.*?)\n\n", str(nearest.__doc__), re.DOTALL)
    names = {"faiss": faiss, "torch": torch, "vectors": vectors, "queries": queries, "k": 10}
    exec(textwrap.dedent(" " * 8 + lines), names)
    cosines, numbers = nearest(queries, vectors, k=10)
    assert torch.equal(torch.as_tensor(names["numbers"]), numbers)
    torch.testing.assert_close(torch.as_tensor(names["cosines"]), cosines, atol=1e-6, rtol=0)
