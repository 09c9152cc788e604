"""From rules to a state graph: every sentence is a path, every path has a probability.

The idea: without recursion a feature grammar describes finitely many paths, so it is a hidden Markov model whose states
carry the memory: which number the subject had, who the hero is. The graph is built from right to left: what a state
*is* follows from what it says, its label and what may come after it, so two states that agree in these are one state
("hash-consing", which gives the minimal graph, as in Daciuk et al. 2000, "Incremental Construction of Minimal Acyclic
Finite-State Automata"). A rule's one-word alternatives share one state with an emission distribution, which keeps the
graph small.
Left out on purpose: cycles. A path never repeats a state, and the longest sentence is known.
Taught in chapter 00.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from bertmini.microworld.lines import refuse
from bertmini.microworld.notation import Alternative, Grammar, Item, Rule

END = -1
Entry = tuple[tuple[int, float], ...]  # the ways to enter a part of the graph: (state, probability)
FINISHED: Entry = ((END, 1.0),)


class Label(NamedTuple):
    """What is true of a piece and not written on it."""

    slot: str  # the rule that said it, with its features: "Noun[river]"; a fixed word is its own slot
    tag: str  # BIO entity tag
    answer: int  # the number of pieces of the answer that starts here, else 0


class State(NamedTuple):
    """One node: the pieces that it may say with their probabilities, its label, and where to go next."""

    emission: tuple[tuple[str, float], ...]
    label: Label
    successors: Entry


class Sentence(NamedTuple):
    """A sentence symbol with all features given: `Fact[ada home]`, asked about or not."""

    name: str
    values: tuple[str, ...]
    asked: bool = False


def mix(parts: Iterable[tuple[float, Entry]]) -> Entry:
    """The entry that enters each part with its probability."""
    total: dict[int, float] = defaultdict(float)
    for probability, entry in parts:
        for state, inner in entry:
            total[state] += probability * inner
    return tuple(sorted(total.items()))


class Graph:
    """All states of a grammar, grown on demand: ask for an entry and the states behind it exist."""

    def __init__(self, grammar: Grammar, spell: Callable[[str], str] = str) -> None:
        """An empty graph. `spell` says how a piece is written: the twin language writes the same pieces differently."""
        self.grammar = grammar
        self._spell = spell
        self.states: list[State] = []
        self._numbers: dict[State, int] = {}
        self._expanded: dict[tuple[Sentence, Entry, str], Entry] = {}
        self._open: list[str] = []  # rules being expanded, to notice recursion
        self.used_rules: set[int] = set()  # line numbers

    # ------------------------------------------------------------------ features
    def rule(self, name: str, values: tuple[str, ...], line: int) -> tuple[Rule, dict[str, str]]:
        """The one rule for `name` with these values, and its features bound to them."""
        found: list[tuple[Rule, dict[str, str]]] = []
        for rule in self.grammar.rules[name]:
            if len(rule.parameters) == len(values):
                bound = {p: v for p, v in zip(rule.parameters, values, strict=True) if self.grammar.domain(p)}
                fits = all(
                    v in self.grammar.features[self.grammar.domain(p) or ""] if p in bound else v == p
                    for p, v in zip(rule.parameters, values, strict=True)
                )
                if fits:
                    found.append((rule, bound))
        if len(found) != 1:
            have = [f"{rule.name}[{' '.join(rule.parameters)}]" for rule in self.grammar.rules[name]]
            refuse(line, f"{len(found)} rules fit {name}[{' '.join(values)}], expected one; there are {have}")
        return found[0]

    def bindings(self, items: Sequence[Item], bound: dict[str, str]) -> list[tuple[float, dict[str, str]]]:
        """Every way to give values to the features that `items` mention and `bound` does not, with its probability."""
        arguments = [argument for item in items for argument in item.arguments]
        mentioned = [
            name for argument in arguments for name in (argument.removeprefix("!"), argument)
        ]  # mood before !mood
        ways = [(1.0, bound)]
        for variable in dict.fromkeys(name for name in mentioned if self.grammar.domain(name) and name not in bound):
            ways = [
                (p * q, {**values, variable: value})
                for p, values in ways
                for value, q in self._choices(variable, values).items()
            ]
        return ways

    def _choices(self, variable: str, values: dict[str, str]) -> dict[str, float]:
        domain = self.grammar.features[self.grammar.domain(variable) or ""]
        if not variable.startswith("!"):
            return domain
        others = {value: p for value, p in domain.items() if value != values[variable[1:]]}
        return {value: p / sum(others.values()) for value, p in others.items()}

    @staticmethod
    def sentence(item: Item, values: dict[str, str]) -> Sentence:
        """The item of a plan with its features filled in."""
        return Sentence(item.name, tuple(values.get(a, a) for a in item.arguments), item.marked)

    # ------------------------------------------------------------------ states
    def state(self, emission: tuple[tuple[str, float], ...], label: Label, successors: Entry) -> int:
        """The number of this state, new or not."""
        key = State(emission, label, successors)
        if key not in self._numbers:
            self._numbers[key] = len(self.states)
            self.states.append(key)
        return self._numbers[key]

    def text(self, sentences: Sequence[Sentence], line: int = 0) -> Entry:
        """The entry of a text: its sentences one after the other."""
        entry = FINISHED
        for sentence in reversed(sentences):
            entry = self._slot(sentence, entry, "O", line)
        return entry

    def _slot(self, symbol: Sentence, after: Entry, tag: str, line: int) -> Entry:
        """Expands one rule in front of `after`. `tag` is the BIO tag of its first piece."""
        key = (symbol, after, tag)
        if key not in self._expanded:
            rule, bound = self.rule(symbol.name, symbol.values, line)
            self.used_rules.add(rule.line)
            if symbol.name in self._open:
                refuse(rule.line, f"'{symbol.name}' contains itself")
            self._open.append(symbol.name)
            self._expanded[key] = self._alternatives(rule, bound, symbol, after, f"B-{rule.tag}" if rule.tag else tag)
            self._open.pop()
        return self._expanded[key]

    def _alternatives(self, rule: Rule, bound: dict[str, str], symbol: Sentence, after: Entry, tag: str) -> Entry:
        name = f"{symbol.name}[{' '.join(symbol.values)}]" if symbol.values else symbol.name
        parts: list[tuple[float, Entry]] = []
        pooled: dict[str, float] = defaultdict(float)
        for alternative in rule.alternatives:
            for probability, values in self.bindings(alternative.items, bound):
                probability *= alternative.probability
                if len(alternative.items) == 1 and alternative.items[0].kind != "slot":
                    item = alternative.items[0]
                    pooled[values[item.name] if item.kind == "value" else item.name] += probability
                else:
                    parts.append((probability, self._sequence(alternative, values, after, tag, symbol.asked)))
        if pooled:
            total = sum(pooled.values())
            emission = tuple((self._spell(piece), p / total) for piece, p in pooled.items())
            parts.append((total, ((self.state(emission, Label(name, tag, 0), after), 1.0),)))
        return mix(parts)

    def _sequence(self, alternative: Alternative, values: dict[str, str], after: Entry, tag: str, asked: bool) -> Entry:
        for position, item in reversed(list(enumerate(alternative.items))):
            here = tag if position == 0 else tag.replace("B-", "I-")
            if item.kind == "slot":
                symbol = self.sentence(item, values)._replace(asked=asked and not item.marked)
                if asked and item.marked:
                    after = self._answer(symbol, after, here, item.line)
                else:
                    after = self._slot(symbol, after, here, item.line)
            else:
                piece = values[item.name] if item.kind == "value" else item.name
                after = ((self.state(((self._spell(piece), 1.0),), Label(item.name, here, 0), after), 1.0),)
        return after

    def _answer(self, symbol: Sentence, after: Entry, tag: str, line: int) -> Entry:
        """Like `_slot`, but the first piece knows how long the answer is: paths are written out, equal tails joined."""
        tails: dict[tuple[tuple[str, Label], ...], dict[tuple[str, Label], float]] = defaultdict(dict)
        for probability, ((piece, label), *tail) in self.paths(self._slot(symbol, FINISHED, tag, line)):
            tails[tuple(tail)][piece, label._replace(answer=len(tail) + 1)] = probability
        parts: list[tuple[float, Entry]] = []
        for rest, heads in tails.items():
            behind = after
            for piece, label in reversed(rest):
                behind = ((self.state(((piece, 1.0),), label, behind), 1.0),)
            for label in dict.fromkeys(label for _, label in heads):
                same = {piece: p for (piece, other), p in heads.items() if other == label}
                total = sum(same.values())
                emission = tuple((piece, p / total) for piece, p in same.items())
                parts.append((total, ((self.state(emission, label, behind), 1.0),)))
        return mix(parts)

    def paths(self, entry: Entry) -> list[tuple[float, list[tuple[str, Label]]]]:
        """Every path from `entry` to the end, as (probability, [(piece, label), ...]). For small parts only."""
        found: list[tuple[float, list[tuple[str, Label]]]] = []
        for number, probability in entry:
            if number == END:
                found.append((probability, []))
                continue
            emission, label, successors = self.states[number]
            for inner, rest in self.paths(successors):
                found += [(probability * p * inner, [(piece, label), *rest]) for piece, p in emission]
        return found

    def check_all_used(self) -> None:
        """Raises if some rule was never expanded: its words could never be said."""
        for rule in (rule for rules in self.grammar.rules.values() for rule in rules):
            if rule.line not in self.used_rules:
                words = [item.name for alternative in rule.alternatives for item in alternative.items]
                refuse(
                    rule.line, f"no document ever reaches '{rule.name}[{' '.join(rule.parameters)}]' ({words[0]} ...)"
                )
