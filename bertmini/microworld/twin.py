"""A twin language: the same world, said with other words in another order.

The idea: to ask what a second language costs or brings one needs two languages that say the same. The twin replaces
every piece one for one by a cipher that keeps it pronounceable, and reverses every phrase (so verbs come before their
subjects and `the` after its noun); the mark at the end of a sentence stays there. Meaning, labels and probabilities are
the same to the last digit, so the two languages have the same floor, and every sentence has exactly one translation.
Left out on purpose: everything that makes translation hard between real languages.
Taught in chapter 18, used in chapter 12.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from bertmini.microworld.compile import Graph, Sentence
from bertmini.microworld.lines import refuse
from bertmini.microworld.notation import Alternative, Grammar, Item

_CIPHER = str.maketrans("aeioubpdtgkvfszlrmn", "eiouapbtdkgfvzsrlnm")


def twin_piece(piece: str) -> str:
    """One piece in the twin language.

    >>> twin_piece("river"), twin_piece("##ton"), twin_piece(".")
    ('lofil', '##dum', '.')
    """
    return piece.translate(_CIPHER)


def twin_grammar(grammar: Grammar) -> Grammar:
    """The grammar with every phrase in reverse order; its words are still to be replaced by `twin_piece`."""
    rules = {
        name: tuple(
            replace(rule, alternatives=tuple(_turn(grammar, alternative) for alternative in rule.alternatives))
            for rule in group
        )
        for name, group in grammar.rules.items()
    }
    return replace(grammar, rules=rules)


class Interpreter:
    """Says sentences of a world in both languages at once: the same choices, so the same meaning."""

    def __init__(self, graph: Graph) -> None:
        """Take the graph of the first language."""
        self.graph = graph
        self._ways: dict[Sentence, list[tuple[float, Alternative, dict[str, str]]]] = {}

    def say(self, sentence: Sentence, draw: random.Random) -> tuple[list[str], list[str]]:
        """The pieces of a sentence drawn at random, and those of its translation."""
        if sentence not in self._ways:
            rule, bound = self.graph.rule(sentence.name, sentence.values, 0)
            self._ways[sentence] = [
                (alternative.probability * probability, alternative, values)
                for alternative in rule.alternatives
                for probability, values in self.graph.bindings(alternative.items, bound)
            ]
        ways = self._ways[sentence]
        _, alternative, values = draw.choices(ways, [way[0] for way in ways])[0]
        both = [self._item(item, values, draw) for item in alternative.items]
        order = _turned(self.graph.grammar, alternative.items)
        return [piece for one, _ in both for piece in one], [piece for place in order for piece in both[place][1]]

    def _item(self, item: Item, values: dict[str, str], draw: random.Random) -> tuple[list[str], list[str]]:
        if item.kind == "slot":
            return self.say(self.graph.sentence(item, values), draw)
        piece = values[item.name] if item.kind == "value" else item.name
        return [piece], [twin_piece(piece)]


def _turn(grammar: Grammar, alternative: Alternative) -> Alternative:
    items = alternative.items
    return replace(alternative, items=tuple(items[place] for place in _turned(grammar, items)))


def _turned(grammar: Grammar, items: Sequence[Item]) -> list[int]:
    """The places of the items, words in reverse order; what belongs to the word before it stays with that word."""
    words: list[list[int]] = []
    for place, item in enumerate(items):
        if words and _attaches(grammar, item):
            words[-1].append(place)
        else:
            words.append([place])
    end = words[-1:] if words and items[words[-1][0]].name in (".", "?") else []
    return [place for word in words[: len(words) - len(end)][::-1] + end for place in word]


def _attaches(grammar: Grammar, item: Item) -> bool:
    """Whether what the item says begins with `##`."""
    if item.kind != "slot":
        return item.name.startswith("##")
    items = (alternative.items for rule in grammar.rules[item.name] for alternative in rule.alternatives)
    found = {_attaches(grammar, first[0]) for first in items if first}
    if len(found) > 1:
        refuse(item.line, f"'{item.name}' begins with ## in some alternatives only, so it cannot be turned around")
    return True in found
