"""Which of many texts (or vectors) are nearest to a query? BM25 counts words, `nearest` compares vectors; both exactly.

BM25 adds up, for each word of the query, how rare the word is times how often the text has it. The second factor levels
off: the tenth occurrence says little (`k1`), and a long text has more of everything (`b`) (Robertson and Zaragoza 2009,
"The probabilistic relevance framework", section 3; the rarity is Lucene's, which is never negative).

Shapes: N texts or vectors, Q queries, E numbers each. Left out on purpose: indices for millions of texts; `nearest`
shows the bridge to one. Taught in chapters 10 and 11.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from torch import Tensor


def words_of(text: str) -> list[str]:
    """Lower-case words and numbers, without punctuation.

    >>> words_of("Where does Ada live?")
    ['where', 'does', 'ada', 'live']
    """
    return re.findall(r"\w+", text.lower())


class BM25:
    """An index of texts by their words.

    >>> index = BM25(["ada lives in ashton", "bruno keeps a goat"])
    >>> index.search("what does bruno keep?", k=1)
    [1]
    """

    def __init__(
        self, texts: Sequence[str], *, k1: float = 1.2, b: float = 0.75, split: Callable[[str], list[str]] = words_of
    ) -> None:
        """Count the words of all texts. Raises `ValueError` if none of them has any."""
        counts = [Counter(split(text)) for text in texts]
        lengths = [count.total() for count in counts]
        if not sum(lengths):
            raise ValueError(f"there are no words in {len(texts)} texts: nothing could be found")
        mean = sum(lengths) / len(lengths)
        self.size, self.split = len(texts), split
        self.weights: dict[str, list[tuple[int, float]]] = {}  # of each word: texts that have it, what it adds there
        found: dict[str, list[int]] = {}
        for number, count in enumerate(counts):
            for word in count:
                found.setdefault(word, []).append(number)
        for word, numbers in found.items():
            rarity = math.log(1 + (self.size - len(numbers) + 0.5) / (len(numbers) + 0.5))
            self.weights[word] = [
                (i, rarity * counts[i][word] * (k1 + 1) / (counts[i][word] + k1 * (1 - b + b * lengths[i] / mean)))
                for i in numbers
            ]

    def scores(self, query: str) -> list[float]:
        """How well each text fits the query; a word that stands in it twice counts twice."""
        scores = [0.0] * self.size
        for word in self.split(query):
            for number, weight in self.weights.get(word, ()):
                scores[number] += weight
        return scores

    def search(self, query: str, *, k: int) -> list[int]:
        """The numbers of the `k` best texts, best first; of equals the first."""
        scores = self.scores(query)
        return sorted(range(self.size), key=lambda number: -scores[number])[:k]


def nearest(queries: Tensor, vectors: Tensor, *, k: int) -> tuple[Tensor, Tensor]:
    """For each query (Q, E) its `k` nearest vectors (N, E) by cosine: cosines (Q, k), best first, and their numbers.

    This compares with every vector. Beyond a million, hand the same vectors to an engine that is made for it: scaled to
    length 1, because a cosine is then an inner product. FAISS gives the same two arrays, from an exact index first and
    from an approximate one, such as `IndexHNSWFlat`, once you know what it may miss::

        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(torch.nn.functional.normalize(vectors).numpy())
        cosines, numbers = index.search(torch.nn.functional.normalize(queries).numpy(), k)

    Raises `ValueError` for other shapes, a vector of zeros, which points nowhere, and `k` above N.
    """
    if queries.ndim != 2 or vectors.ndim != 2 or queries.shape[1] != vectors.shape[1]:
        raise ValueError(f"queries {tuple(queries.shape)}, vectors {tuple(vectors.shape)}: expected (Q, E) and (N, E)")
    if not 1 <= k <= len(vectors):
        raise ValueError(f"k is {k}: expected 1 to {len(vectors)}, the number of vectors")
    lengths = queries.norm(dim=1, keepdim=True), vectors.norm(dim=1, keepdim=True)
    if not all(bool(length.all()) for length in lengths):
        raise ValueError("a vector of zeros points nowhere: leave it out (is it the state of an empty text?)")
    best = ((queries / lengths[0]) @ (vectors / lengths[1]).T).topk(k)
    return best.values, best.indices


def recall_at(found: Sequence[Sequence[int]], relevant: Sequence[int], k: int) -> float:
    """How often the one text that is asked for is among the first `k` found.

    >>> recall_at([[4, 2], [0, 1]], relevant=[2, 7], k=2)
    0.5
    """
    return sum(right in numbers[:k] for numbers, right in zip(found, relevant, strict=True)) / len(relevant)
