"""From the text of a grammar to rules: parsing, and every check that needs no probability theory.

The idea: a grammar is data. What a line may say is explained in `grammar`, how a text is cut into weighted lines in
`lines`; here each line becomes a small frozen record that remembers its number, so that a mistake can be answered with
"grammar line 31: ...".
Source: feature grammars without recursion, as in Shieber (1986), "An Introduction to Unification-Based Approaches to
Grammar", cut down to equality. Left out on purpose: recursion, unification of anything but values,
includes, macros.
Taught in chapter 00.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from bertmini.microworld.lines import Line, known, logical_lines, refuse, weigh

NOTHING = "~"
_TOKEN = re.compile(r"\^?[A-Z]\w*(?:\[[^\]]*\])?\*?|\S+")
_SLOT = re.compile(r"(\^?)([A-Z]\w*)(?:\[([^\]]*)\])?(\*?)")


@dataclass(frozen=True)
class Item:
    """One thing in a right-hand side: a word, the value of a feature (`$x`), or a slot that a rule fills."""

    kind: str  # "word", "value" or "slot"
    name: str
    arguments: tuple[str, ...] = ()
    marked: bool = False  # `^Slot`: may be an answer. `Slot[...]*`: the sentence that is asked about
    line: int = 0


@dataclass(frozen=True)
class Alternative:
    """One way to say a rule."""

    probability: float
    items: tuple[Item, ...]
    line: int


@dataclass(frozen=True)
class Rule:
    """`Name[parameters] as TAG = alternatives`; a parameter is a feature or one fixed value."""

    name: str
    parameters: tuple[str, ...]
    tag: str | None
    alternatives: tuple[Alternative, ...]
    line: int


@dataclass(frozen=True)
class Plan:
    """One way to build a document: texts (one, or two for a pair task) of sentences."""

    probability: float
    texts: tuple[tuple[Item, ...], ...]
    line: int


@dataclass(frozen=True)
class Kind:
    """A kind of document. `share` is its part of the pretraining text, 0 for a task."""

    name: str
    share: float
    plans: tuple[Plan, ...]
    line: int


@dataclass(frozen=True)
class Grammar:
    """Everything that the text said. `features` maps a feature to the probabilities of its values."""

    features: dict[str, dict[str, float]]
    rules: dict[str, tuple[Rule, ...]]
    kinds: dict[str, Kind]
    held_out: tuple[dict[str, str], ...]

    def domain(self, variable: str) -> str | None:
        """The feature that a variable ranges over (`!number2` → `number`), or None if it is no variable."""
        feature = variable.removeprefix("!").rstrip("0123456789")
        return feature if feature in self.features else None


def _item(token: str, line: int) -> Item:
    slot = _SLOT.fullmatch(token)
    if slot:
        answer, name, arguments, star = slot.groups()
        return Item("slot", name, tuple((arguments or "").split()), bool(answer or star), line)
    if token.startswith("$"):
        return Item("value", token[1:], (token[1:],), line=line)
    if token != token.lower() or set(token) & set("[]*^"):
        refuse(line, f"cannot read '{token}': a word is lower case, a slot is Capitalised[with features]")
    return Item("word", token, line=line)


def _items(text: str, line: int) -> tuple[Item, ...]:
    return tuple(_item(token, line) for token in _TOKEN.findall(text) if token != NOTHING)


def _kind(line: Line) -> Kind:
    """`document NAME SHARE = plans` or `task NAME = plans`."""
    words = line.head.split()
    if len(words) != (3 if words[0] == "document" else 2):
        refuse(line.number, f"expected 'document NAME SHARE' or 'task NAME', got '{line.head}'")
    plans = []
    for probability, text, number in weigh(line):
        texts = tuple(
            tuple(item for part in segment.split(" / ") for item in _items(part, number))
            for segment in text.split(" // ")
        )
        for item in (item for segment in texts for item in segment):
            if item.kind != "slot":
                refuse(number, f"a document is made of sentences (slots), not of '{item.name}'")
        if len(texts) > 2:
            refuse(number, "a document has at most two texts, so at most one //")
        plans.append(Plan(probability, texts, number))
    return Kind(words[1], float(words[2]) if len(words) == 3 else 0.0, tuple(plans), line.number)


def _rule(line: Line) -> Rule:
    """`Name[parameters] as TAG = alternatives`."""
    head, _, tag = line.head.partition(" as ")
    match = _SLOT.fullmatch(head.strip())
    if not match or match.group(1) or match.group(4):
        refuse(line.number, f"cannot read '{line.head}': expected Name, Name[features] or Name[features] as TAG")
    alternatives = tuple(Alternative(p, _items(text, number), number) for p, text, number in weigh(line))
    return Rule(match.group(2), tuple((match.group(3) or "").split()), tag or None, alternatives, line.number)


def _held_out(line: Line) -> tuple[dict[str, str], ...]:
    """`held out = feature=value feature=value | ...`."""
    for number, text in line.body:
        if any(part.count("=") != 1 for part in text.split()):
            refuse(number, f"expected feature=value, got '{text}'")
    return tuple(dict(part.split("=") for part in text.split()) for _, text in line.body)


def parse(text: str) -> Grammar:
    """Reads a grammar. Raises `ValueError` naming the line for anything that cannot be read or does not add up."""
    features: dict[str, dict[str, float]] = {}
    rules: dict[str, tuple[Rule, ...]] = {}
    kinds: dict[str, Kind] = {}
    held_out: tuple[dict[str, str], ...] = ()
    for line in logical_lines(text):
        first = line.head.split()[0]
        if first == "feature":
            features[line.head.split()[-1]] = {value: p for p, value, _ in weigh(line)}
        elif first in ("document", "task"):
            kind = _kind(line)
            kinds[kind.name] = kind
        elif line.head == "held out":
            held_out = _held_out(line)
        else:
            rule = _rule(line)
            rules[rule.name] = (*rules.get(rule.name, ()), rule)
    grammar = Grammar(features, rules, kinds, held_out)
    _check(grammar)
    return grammar


def _check(grammar: Grammar) -> None:
    """Names only: every slot, feature and value that is used exists; shares of documents sum to 1."""
    values = {value for domain in grammar.features.values() for value in domain}
    names = sorted(grammar.features) + sorted(values)
    for name in values & set(grammar.features):
        raise ValueError(f"'{name}' is a feature and also a value of a feature; rename one of them")
    documents = [kind for kind in grammar.kinds.values() if kind.share > 0]
    total = sum(Fraction(str(kind.share)) for kind in documents)
    if not documents:
        raise ValueError("the grammar has no line 'document NAME SHARE = ...', so it says nothing")
    if total != 1:
        refuse(documents[-1].line, f"the shares of the documents sum to {float(total):.6g}, expected 1")
    items = [item for kind in grammar.kinds.values() for plan in kind.plans for text in plan.texts for item in text]
    for rule in (rule for group in grammar.rules.values() for rule in group):
        items += [item for alternative in rule.alternatives for item in alternative.items]
        for parameter in rule.parameters:
            known(parameter, names, rule.line, "feature or value")
    for item in items:
        if item.kind == "slot":
            known(item.name, list(grammar.rules), item.line, "slot")
        for argument in item.arguments:
            if grammar.domain(argument) is None:
                known(argument, names, item.line, "feature or value")
    for combination in grammar.held_out:
        for feature, value in combination.items():
            if value not in grammar.features.get(feature, {}):
                raise ValueError(f"held out: '{feature}={value}' is not a feature and one of its values")
