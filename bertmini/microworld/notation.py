"""From the text of a grammar to rules: parsing, and every check that needs no probability theory.

The idea: a grammar is data. What a line may say is explained in `grammar`; here each line becomes a small frozen record
that remembers its line number, so that a mistake can be answered with "grammar line 31: ...". Probabilities are exact
fractions: that they sum to 1 is tested without a tolerance.
Source: feature grammars without recursion, as in Shieber (1986), "An Introduction to Unification-Based Approaches to
Grammar", cut down to equality. Left out on purpose: recursion (see `pcfg`), unification of anything but values,
includes, macros.
Taught in chapter 00.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import NoReturn

NOTHING = "~"
_TOKEN = re.compile(r"\^?[A-Z]\w*(?:\[[^\]]*\])?\*?|\S+")
_SLOT = re.compile(r"(\^?)([A-Z]\w*)(?:\[([^\]]*)\])?(\*?)")
_NUMBER = re.compile(r"\d+/\d+|\d*\.\d+|\d+")


def refuse(line: int, message: str) -> NoReturn:
    """Raises the one kind of error that a wrong grammar gets."""
    raise ValueError(f"grammar line {line}: {message}")


def known(name: str, choices: list[str], line: int, what: str) -> None:
    """Raises unless `name` is one of `choices`, and suggests the nearest one."""
    if name not in choices:
        near = get_close_matches(name, choices, 1)
        refuse(line, f"unknown {what} '{name}'" + (f"; did you mean '{near[0]}'?" if near else f"; known: {choices}"))


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


@dataclass(frozen=True)
class _Line:
    """A logical line: its head and the alternatives to the right of `=`, each with its own line number."""

    head: str
    body: list[tuple[int, str]]
    number: int


def _logical_lines(text: str) -> list[_Line]:
    """Joins continuation lines (indented) to the line that they continue and cuts the body at each `|`."""
    lines: list[_Line] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.rstrip()
        if not line or line.lstrip().startswith("# "):
            continue
        if line[0].isspace():
            if not lines:
                refuse(number, "the first line may not be indented (an indented line continues the one above)")
            parts = line.strip().split("|")
            last_number, last = lines[-1].body[-1]
            lines[-1].body[-1] = (last_number, f"{last} {parts[0]}".strip())
            lines[-1].body.extend((number, part.strip()) for part in parts[1:])
        else:
            head, equals, body = line.partition(" = ")
            if not equals:
                refuse(number, f"expected 'NAME = alternative | alternative', got {line!r}")
            lines.append(_Line(head.strip(), [(number, part.strip()) for part in body.split("|")], number))
    return lines


def _weigh(line: _Line) -> list[tuple[float, str, int]]:
    """(probability, text, line number) of each alternative; raises unless the probabilities sum to 1 exactly."""
    body = list(line.body)
    zipf = body[0][1].startswith("zipf ")
    if zipf:
        body[0] = (body[0][0], body[0][1].removeprefix("zipf "))
    weights: list[Fraction] = []
    texts: list[str] = []
    for number, text in body:
        first, _, rest = text.partition(" ")
        if not text:
            refuse(number, "an empty alternative; write ~ for nothing")
        given = _NUMBER.fullmatch(first) is not None
        if given and zipf:
            refuse(number, "zipf gives the probabilities; take the numbers out")
        if given and Fraction(first) == 0:
            refuse(number, f"'{rest}' can never be said: its probability is 0; take it out or give it some")
        texts.append(rest if given else text)
        weights.append(Fraction(first) if given else Fraction(-1))
    if zipf:
        total = sum(Fraction(1, rank) for rank in range(1, len(body) + 1))
        weights = [Fraction(1, rank) / total for rank in range(1, len(body) + 1)]
    elif all(weight < 0 for weight in weights):
        weights = [Fraction(1, len(body))] * len(body)
    elif any(weight < 0 for weight in weights):
        refuse(line.number, f"'{line.head}': give a probability to every alternative or to none")
    if sum(weights) != 1:
        refuse(line.number, f"'{line.head}': the probabilities sum to {float(sum(weights)):.6g}, expected 1")
    return [(float(weight), text, number) for weight, text, (number, _) in zip(weights, texts, body, strict=True)]


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


def _kind(line: _Line) -> Kind:
    """`document NAME SHARE = plans` or `task NAME = plans`."""
    words = line.head.split()
    if len(words) != (3 if words[0] == "document" else 2):
        refuse(line.number, f"expected 'document NAME SHARE' or 'task NAME', got '{line.head}'")
    plans = []
    for probability, text, number in _weigh(line):
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


def _rule(line: _Line) -> Rule:
    """`Name[parameters] as TAG = alternatives`."""
    head, _, tag = line.head.partition(" as ")
    match = _SLOT.fullmatch(head.strip())
    if not match or match.group(1) or match.group(4):
        refuse(line.number, f"cannot read '{line.head}': expected Name, Name[features] or Name[features] as TAG")
    alternatives = tuple(Alternative(p, _items(text, number), number) for p, text, number in _weigh(line))
    return Rule(match.group(2), tuple((match.group(3) or "").split()), tag or None, alternatives, line.number)


def _held_out(line: _Line) -> tuple[dict[str, str], ...]:
    """`held out = feature=value feature=value | ...`."""
    for number, text in line.body:
        if any(part.count("=") != 1 for part in text.split()):
            refuse(number, f"expected feature=value, got '{text}'")
    return tuple(dict(part.split("=") for part in text.split()) for _, text in line.body)


def weighted_lines(text: str) -> list[tuple[str, list[tuple[float, str, int]], int]]:
    """(head, [(probability, alternative, line), ...], line) of each line: all that a simpler grammar needs."""
    return [(line.head, _weigh(line), line.number) for line in _logical_lines(text)]


def parse(text: str) -> Grammar:
    """Reads a grammar. Raises `ValueError` naming the line for anything that cannot be read or does not add up."""
    features: dict[str, dict[str, float]] = {}
    rules: dict[str, tuple[Rule, ...]] = {}
    kinds: dict[str, Kind] = {}
    held_out: tuple[dict[str, str], ...] = ()
    for line in _logical_lines(text):
        first = line.head.split()[0]
        if first == "feature":
            features[line.head.split()[-1]] = {value: p for p, value, _ in _weigh(line)}
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
