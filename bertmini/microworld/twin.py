"""A twin language: the same world, said with other words in another order.

The idea: to ask what a second language costs or brings one needs two languages that say the same. The twin replaces
every piece one for one by a cipher that keeps it pronounceable, and reverses every phrase (so verbs come before their
subjects and `the` after its noun); the mark at the end of a sentence stays there. Meaning, labels and probabilities are
the same to the last digit, so the two languages have the same floor, and every sentence has exactly one translation.
Left out on purpose: everything that makes translation hard between real languages.
Taught in chapter 18, used in chapter 12.
"""

from dataclasses import replace

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


def _turn(grammar: Grammar, alternative: Alternative) -> Alternative:
    """Reverses the words of one alternative; what belongs to the word before it stays with that word."""
    words: list[list[Item]] = []
    for item in alternative.items:
        if words and _attaches(grammar, item):
            words[-1].append(item)
        else:
            words.append([item])
    end = words[-1:] if words and words[-1][0].name in (".", "?") else []
    turned = words[: len(words) - len(end)][::-1] + end
    return replace(alternative, items=tuple(item for word in turned for item in word))


def _attaches(grammar: Grammar, item: Item) -> bool:
    """Whether what the item says begins with `##`."""
    if item.kind != "slot":
        return item.name.startswith("##")
    items = (alternative.items for rule in grammar.rules[item.name] for alternative in rule.alternatives)
    found = {_attaches(grammar, first[0]) for first in items if first}
    if len(found) > 1:
        refuse(item.line, f"'{item.name}' begins with ## in some alternatives only, so it cannot be turned around")
    return True in found
