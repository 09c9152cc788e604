"""The second world: sentences inside sentences, and the exact floor when there is no finite state to remember.

The idea: `the snail that the herons fear sulks` can be nested without end, so no state graph holds it; a probabilistic
context-free grammar does. In Chomsky normal form (a symbol becomes two symbols or one word) the inside algorithm sums
over all trees in O(n³). The outside algorithm is not written at all: the probability of a text is linear in what is
seen at each place, so the cavity is a derivative, and autograd computes it.

    Z = p(x̃) = Σ_{trees} Π rules · Π_i e_i(word_i),  e_i(v) = K(x̃_i | v)     cavity c_i(v) = ∂Z / ∂e_i(v)

Source: Lari and Young 1990 for inside; Eisner 2016, "Inside-Outside and Forward-Backward Algorithms Are Just Backprop".
Shapes: `B` texts of one length `n`, `M` symbols, `R` binary rules, `V` pieces.
Left out on purpose: left-only floors (they need prefix probabilities), sentence pairs, learning the probabilities.
Taught in chapter 21.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from bertmini.config import SPECIAL_TOKENS
from bertmini.microworld.channel import BERT_CORRUPTION, Corruption, take_apart
from bertmini.microworld.estimates import WordFloor
from bertmini.microworld.lines import known, refuse, weighted_lines
from bertmini.microworld.sampling import to_text

DEFAULT_PCFG = """
Sentence    = 0.5 One DoesOne | 0.5 Many DoesMany
One         = 0.55 The NounOne | 0.30 HeadOne Whom | 0.15 HeadOne WhoOne
Many        = 0.55 The NounMany | 0.30 HeadMany Whom | 0.15 HeadMany WhoMany
HeadOne     = The NounOne
HeadMany    = The NounMany
Whom        = That Gap
Gap         = 0.5 One SeesOne | 0.5 Many SeesMany
WhoOne      = That DoesOne
WhoMany     = That DoesMany
DoesOne     = 0.3 sulks | 0.2 sleeps | 0.1 waits | 0.2 SeesOne One | 0.2 SeesOne Many
DoesMany    = 0.3 sulk | 0.2 sleep | 0.1 wait | 0.2 SeesMany One | 0.2 SeesMany Many
SeesOne     = 0.4 sees | 0.3 fears | 0.2 follows | 0.1 admires
SeesMany    = 0.4 see | 0.3 fear | 0.2 follow | 0.1 admire
NounOne     = zipf snail | heron | gnome | goat | umpire
NounMany    = zipf snails | herons | gnomes | goats | umpires
The         = the
That        = that
"""

_TINY = 1e-150  # keeps log away from 0 where a symbol cannot be what is seen; far below any probability that matters


@dataclass(frozen=True)
class NestedSentence:
    """A sentence and its tree: `depth` is the number of clauses (`that ...`) that the innermost word is inside of."""

    text: str
    pieces: tuple[str, ...]
    spans: tuple[tuple[str, int, int], ...]  # (symbol, first piece, last piece), from the outside in
    depth: int


class PcfgWorld:
    """A recursive language with known probabilities; the first line of the grammar names the start symbol.

    >>> world = PcfgWorld()
    >>> world.sample(1, generator=torch.Generator().manual_seed(1))[0].depth >= 0
    True
    """

    def __init__(self, grammar: str = DEFAULT_PCFG) -> None:
        """Reads and checks a grammar. Raises `ValueError` that names the line if it is wrong."""
        self.binary: dict[str, list[tuple[float, str, str]]] = {}
        self.lexical: dict[str, list[tuple[float, str]]] = {}
        lines = weighted_lines(grammar)
        self.symbols = [head for head, _, _ in lines]
        for head, alternatives, line in lines:
            if head in self.binary or not re.fullmatch(r"[A-Z]\w*", head):
                refuse(line, f"'{head}': expected a Capitalised symbol that has no line yet")
            self.binary[head], self.lexical[head] = [], []
            for probability, text, number in alternatives:
                match text.split():
                    case [word] if word == word.lower():
                        self.lexical[head].append((probability, word))
                    case [left, right] if left[0].isupper() and right[0].isupper():
                        known(left, self.symbols, number, "symbol")
                        known(right, self.symbols, number, "symbol")
                        self.binary[head].append((probability, left, right))
                    case _:
                        refuse(number, f"'{text}': in normal form a symbol becomes two Symbols or one word")
        self._check(dict(zip(self.symbols, (line for _, _, line in lines), strict=True)))
        words = sorted({word for rules in self.lexical.values() for _, word in rules})
        self._vocabulary = [*SPECIAL_TOKENS, *words]
        self._prepare()

    def _check(self, lines: Mapping[str, int]) -> None:
        """Every symbol can be reached, and sentences end: the expected number of symbols is finite."""
        reached, todo = {self.symbols[0]}, [self.symbols[0]]
        growth = torch.zeros(len(self.symbols), len(self.symbols), dtype=torch.float64)
        while todo:
            symbol = todo.pop()
            for probability, *parts in self.binary[symbol]:
                for part in parts:
                    growth[self.symbols.index(symbol), self.symbols.index(part)] += probability
                    todo += [part] if part not in reached else []
                    reached.add(part)
        for symbol in self.symbols:
            if symbol not in reached:
                refuse(lines[symbol], f"no sentence ever reaches '{symbol}'")
        if float(torch.linalg.eigvals(growth).abs().max()) >= 1:
            raise ValueError(
                "sentences of this grammar grow without end: give its recursive alternatives less probability"
            )

    def _prepare(self) -> None:
        number = {symbol: index for index, symbol in enumerate(self.symbols)}
        ids = {piece: index for index, piece in enumerate(self._vocabulary)}
        self._words = torch.zeros(len(number), len(ids), dtype=torch.float64)  # (M, V)
        for symbol, words in self.lexical.items():
            for probability, word in words:
                self._words[number[symbol], ids[word]] += probability
        rules = [(number[a], number[b], number[c], p) for a, rest in self.binary.items() for p, b, c in rest]
        parents = torch.tensor([a for a, _, _, _ in rules])
        self._left = torch.tensor([b for _, b, _, _ in rules])
        self._right = torch.tensor([c for _, _, c, _ in rules])
        self._rules = torch.zeros(len(rules), len(number), dtype=torch.float64)  # (R, M) p where the rule is M's
        self._rules[torch.arange(len(rules)), parents] = torch.tensor([p for _, _, _, p in rules], dtype=torch.float64)

    def vocabulary(self) -> list[str]:
        """All pieces, the five special ones first; a piece's place is its id."""
        return list(self._vocabulary)

    # ------------------------------------------------------------------ sampling
    def sample(self, n: int, *, generator: torch.Generator, max_length: int = 16) -> list[NestedSentence]:
        """`n` independent sentences of at most `max_length` pieces (longer ones are drawn again).

        The cap only changes how often each length occurs. A floor is computed given the length, so it is exact with it.
        """
        chance = random.Random(int(torch.randint(2**62, (1,), generator=generator)))
        sentences: list[NestedSentence] = []
        while len(sentences) < n:
            sentence = self._grow(chance, max_length)
            if sentence is not None:
                sentences.append(sentence)
        return sentences

    def _grow(self, chance: random.Random, max_length: int) -> NestedSentence | None:
        """One derivation from the outside in, or None if it gets too long."""
        pieces: list[str] = []
        spans: list[tuple[str, int, int]] = []

        def grow(symbol: str) -> bool:
            start, place = len(pieces), len(spans)
            spans.append((symbol, start, start))
            draw = chance.random()
            for probability, word in self.lexical[symbol]:
                draw -= probability
                if draw < 0:
                    pieces.append(word)
                    return len(pieces) <= max_length
            options = self.binary[symbol]
            for probability, left, right in options:
                draw -= probability
                if draw < 0 or (left, right) == options[-1][1:]:
                    whole = grow(left) and grow(right)
                    spans[place] = (symbol, start, len(pieces) - 1)
                    return whole
            pieces.append(self.lexical[symbol][-1][1])  # only when rounding ate the last sliver of probability
            return len(pieces) <= max_length

        if not grow(self.symbols[0]):
            return None
        clauses = [(first, last) for _, first, last in spans if pieces[first] == "that" and last > first]
        depth = max(sum(first <= place <= last for first, last in clauses) for place in range(len(pieces)))
        return NestedSentence(to_text(pieces), tuple(pieces), tuple(spans), depth)

    # ------------------------------------------------------------------ the floor
    def log_probability(self, evidence: Tensor) -> Tensor:
        """log Z (B,) of texts of one length by the inside algorithm; `evidence` (B, n, V) is e_i(v)."""
        length = evidence.shape[1]
        inside = {1: torch.log(evidence @ self._words.T + _TINY)}  # width → (B, places, M)
        for width in range(2, length + 1):
            places = length - width + 1
            splits = [
                inside[left][:, :places, self._left] + inside[width - left][:, left : left + places, self._right]
                for left in range(1, width)
            ]
            by_rule = torch.stack(splits).logsumexp(0)  # (B, places, R), still without the rule's own probability
            peak = by_rule.detach().amax(2, keepdim=True)
            inside[width] = peak + torch.log((by_rule - peak).exp() @ self._rules + _TINY)  # (B, places, M)
        return inside[length][:, 0, 0]

    def words(self, batch: Mapping[str, Tensor], *, corruption: Corruption = BERT_CORRUPTION) -> WordFloor:
        """The posterior of the true piece at each scored position of rows `[CLS] x [SEP]`, in reading order."""
        (text,) = take_apart(batch)
        labels, seen = batch["labels"].cpu().flatten(), batch["input_ids"].cpu().flatten()
        scored = labels != -100
        row = scored.cumsum(0) - 1
        cavity = torch.zeros(int(scored.sum()), len(self._vocabulary), dtype=torch.float64)
        sequence = torch.zeros(len(cavity), dtype=torch.long)
        table = corruption.table(torch.eye(len(self._vocabulary), dtype=torch.float64))  # (V true, V seen)
        for length in sorted(set(text.lengths.tolist())):
            which = (text.lengths == length).nonzero().squeeze(1)
            evidence = table.T[text.pieces[which, :length]].requires_grad_()  # (B, n, V)
            log_z = self.log_probability(evidence)
            (slope,) = torch.autograd.grad(log_z.sum(), evidence)  # c_i(v) / Z
            places = text.places[which, :length]
            asked = scored[places]
            cavity[row[places[asked]]] = slope[asked]
            sequence[row[places[asked]]] = which[:, None].expand(-1, length)[asked]
        probabilities = corruption.selected(cavity, seen[scored])
        return WordFloor(self.vocabulary(), probabilities, sequence, labels[scored], seen[scored])
