"""The oracle: a small world written out in full, every sentence with its probability, straight from the parsed rules.

It shares no code with the state graph or with forward-backward: it expands rules recursively into lists of strings.
"""

import itertools
from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import Tensor

from bertmini.microworld import Corruption, World
from bertmini.microworld.compile import Sentence
from bertmini.microworld.notation import Grammar, Item

TINY = """
feature topic  = 0.75 sea | 0.25 farm
feature number = one | many
feature mood   = 2/3 good | 1/3 bad
feature who    = ada | bea
document story 0.6 = 0.5 Start[topic who] / Scene[topic] | 0.5 Start[topic who] / Scene[topic] / Start[topic !who]
document view  0.4 = Claim[mood] / Verdict[mood]
task polarity = 0.5 Claim[mood] | 0.5 Claim[mood] / Verdict[mood]
task ask      = 0.5 Ask[who] // Start[topic who]* / Start[topic2 !who]
              | 0.3 Ask[who] // Start[topic !who] / Start[topic2 who]*
              | 0.2 Ask[who] // Start[topic !who]
Start[topic who]   = Named[who] saw ^Place[topic] .
Named[who] as PER  = $who
Place[topic] as LOC = 0.6 Town | 0.4 the Noun[topic]
Town               = 0.7 ash ##ton | 0.2 ash | 0.1 ada
Scene[topic]       = Group[topic number] Tail[topic] Be[number] .
Group[topic one]   = Noun[topic]
Group[topic many]  = Noun[topic] ##s
Tail[topic]        = 0.5 ~ | 0.5 near Group[topic number]
Be[one]            = was
Be[many]           = 0.8 were | 0.2 was
Noun[sea]          = zipf boat | bank
Noun[farm]         = bank | cow
Claim[mood]        = it was Praise[mood] .
Praise[mood]       = 0.5 Word[mood] | 0.5 not Word[!mood]
Word[good]         = 0.6 fine | 0.4 odd
Word[bad]          = 0.7 dull | 0.3 odd
Verdict[mood]      = 0.9 Did[mood] it . | 0.1 Did[!mood] it .
Did[good]          = liked
Did[bad]           = hated
Ask[who]           = where was Named[who] ?
"""


@dataclass(frozen=True)
class Token:
    """A piece with its labels, as the enumeration finds them."""

    piece: str
    tag: str
    answer: bool


Strings = list[tuple[float, tuple[Token, ...]]]


def _draws(grammar: Grammar, names: list[str], bound: dict[str, str]) -> list[tuple[float, dict[str, str]]]:
    ways = [(1.0, dict(bound))]
    for name in names:
        for base in (name.lstrip("!"), name):
            feature = base.lstrip("!").rstrip("0123456789")
            if feature not in grammar.features or base in ways[0][1]:
                continue
            grown = []
            for p, values in ways:
                table = dict(grammar.features[feature])
                if base.startswith("!"):
                    del table[values[base[1:]]]
                total = sum(table.values())
                grown += [(p * q / total, {**values, base: value}) for value, q in table.items()]
            ways = grown
    return ways


def strings(grammar: Grammar, sentence: Sentence, tag: str = "", *, answering: bool = False) -> Strings:
    """All strings of a symbol. `tag` is the entity that it is inside of."""
    for rule in grammar.rules[sentence.name]:
        if len(rule.parameters) != len(sentence.values):
            continue
        bound = {}
        for parameter, value in zip(rule.parameters, sentence.values, strict=True):
            if parameter in grammar.features:
                if value not in grammar.features[parameter]:
                    break
                bound[parameter] = value
            elif parameter != value:
                break
        else:
            inside = rule.tag or tag
            found: Strings = []
            for alternative in rule.alternatives:
                for p, values in _draws(grammar, [a for i in alternative.items for a in i.arguments], bound):
                    found += [
                        (p * alternative.probability * q, tokens)
                        for q, tokens in _row(grammar, alternative.items, values, inside, sentence.asked, answering)
                    ]
            if rule.tag:
                found = [
                    (p, tuple(Token(t.piece, ("B-" if k == 0 else "I-") + rule.tag, t.answer) for k, t in enumerate(s)))
                    for p, s in found
                ]
            return found
    raise AssertionError(sentence)


def _row(
    grammar: Grammar, items: tuple[Item, ...], values: dict[str, str], tag: str, asked: bool, answering: bool
) -> Strings:
    parts: list[Strings] = []
    for item in items:
        if item.kind == "slot":
            symbol = Sentence(item.name, tuple(values.get(a, a) for a in item.arguments), asked)
            parts.append(strings(grammar, symbol, tag, answering=answering or (asked and item.marked)))
        else:
            piece = values[item.name] if item.kind == "value" else item.name
            parts.append([(1.0, (Token(piece, "O", answering),))])
    rows: Strings = []
    for combination in itertools.product(*parts):
        p = 1.0
        for q, _ in combination:
            p *= q
        rows.append((p, tuple(token for _, tokens in combination for token in tokens)))
    return rows


@dataclass(frozen=True)
class Case:
    """One possible example: its texts, how probable it is, and what is true of it."""

    probability: float
    texts: tuple[tuple[Token, ...], ...]
    labels: dict[str, str]


def _texts(grammar: Grammar, sentences: tuple[Sentence, ...]) -> Strings:
    rows: Strings = [(1.0, ())]
    for sentence in sentences:
        rows = [(p * q, text + tail) for p, text in rows for q, tail in strings(grammar, sentence)]
    return rows


def documents(grammar: Grammar, kind: str) -> list[tuple[float, tuple[tuple[Sentence, ...], ...], dict[str, str]]]:
    """Every document of a kind before its words, with the values of its features."""
    found = []
    for plan in grammar.kinds[kind].plans:
        items = [item for text in plan.texts for item in text]
        for p, values in _draws(grammar, [a for item in items for a in item.arguments], {}):
            texts = tuple(
                tuple(Sentence(i.name, tuple(values.get(a, a) for a in i.arguments), i.marked) for i in text)
                for text in plan.texts
            )
            answerable = "yes" if any(item.marked for item in items) else "no"
            found.append((plan.probability * p, texts, {**values, "answerable": answerable}))
    return found


def task_cases(grammar: Grammar, kind: str) -> list[Case]:
    """Every example of a task."""
    cases = []
    for p, texts, labels in documents(grammar, kind):
        for combination in itertools.product(*(_texts(grammar, text) for text in texts)):
            q = p
            for r, _ in combination:
                q *= r
            cases.append(Case(q, tuple(tokens for _, tokens in combination), labels))
    return cases


def pair_cases(grammar: Grammar, negatives: str) -> list[Case]:
    """Every pretraining pair, by the rule in words: draw a document, then two neighbours; then maybe another B."""
    following: dict[tuple[tuple[str, Sentence], tuple[str, Sentence]], float] = defaultdict(float)
    anywhere: dict[tuple[str, Sentence], float] = defaultdict(float)
    for kind in (kind for kind in grammar.kinds.values() if kind.share):
        for p, texts, _ in documents(grammar, kind.name):
            row = [(f"{kind.name} {sentence.name}", sentence) for sentence in texts[0]]
            for a, b in itertools.pairwise(row):
                following[a, b] += kind.share * p / (len(row) - 1)
            for a in row:
                anywhere[a] += kind.share * p / len(row)
    other: dict[tuple[tuple[str, Sentence], tuple[str, Sentence]], float] = defaultdict(float)
    for (a, b), p in following.items():
        if negatives == "swapped":
            other[b, a] += p
        elif negatives == "random":
            for c, q in anywhere.items():
                other[a, c] += p * q
        else:
            same = [(c, q) for (_, c), q in following.items() if c[0] == b[0]]
            for c, q in same:
                other[a, c] += p * q / sum(q for _, q in same)
    cases = []
    for label, table in (("0", following), ("1", other)):
        for ((_, a), (_, b)), p in table.items():
            for (q, first), (r, second) in itertools.product(strings(grammar, a), strings(grammar, b)):
                cases.append(Case(0.5 * p * q * r, (first, second), {"next": label}))
    return cases


def channel(corruption: Corruption, vocabulary: list[str], true: str, seen: str, *, selected: bool) -> float:
    """K or K₁, from the definition."""
    fate = corruption.keep * (seen == true) + corruption.mask * (seen == "[MASK]")
    fate += corruption.random / (len(vocabulary) - 5) * (not seen.startswith("["))
    return fate if selected else (1 - corruption.rate) * (seen == true) + corruption.rate * fate


def weigh(
    world: World, cases: list[Case], seen: tuple[list[str], ...], corruption: Corruption
) -> list[tuple[Case, float]]:
    """The cases that fit the lengths, each with p(case) Π K(seen | case)."""
    vocabulary = world.vocabulary()
    fits = []
    for case in cases:
        if tuple(map(len, case.texts)) == tuple(map(len, seen)):
            p = case.probability
            for text, row in zip(case.texts, seen, strict=True):
                for token, piece in zip(text, row, strict=True):
                    p *= channel(corruption, vocabulary, token.piece, piece, selected=False)
            fits.append((case, p))
    return fits


def batch_of(world: World, rows: list[tuple[list[str], ...]]) -> dict[str, Tensor]:
    """A batch `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]` of pieces, padded."""
    ids = {piece: number for number, piece in enumerate(world.vocabulary())}
    lines = [["[CLS]", *(piece for text in row for piece in (*text, "[SEP]"))] for row in rows]
    width = max(map(len, lines))
    batch = {
        name: torch.zeros(len(rows), width, dtype=torch.long)
        for name in ("input_ids", "token_type_ids", "attention_mask")
    }
    for number, (line, row) in enumerate(zip(lines, rows, strict=True)):
        batch["input_ids"][number, : len(line)] = torch.tensor([ids[piece] for piece in line])
        batch["attention_mask"][number, : len(line)] = 1
        batch["token_type_ids"][number, len(row[0]) + 2 : len(line)] = 1
    return batch


def corrupt(
    world: World, batch: dict[str, Tensor], corruption: Corruption, generator: torch.Generator
) -> dict[str, Tensor]:
    """BERT's masking, written here once more so that the tests need no other room."""
    ids = batch["input_ids"]
    size = len(world.vocabulary())
    selected = (ids > 4) & (torch.rand(ids.shape, generator=generator) < corruption.rate)
    fate = torch.rand(ids.shape, generator=generator)
    random_pieces = torch.randint(5, size, ids.shape, generator=generator)
    new = torch.where(
        fate < corruption.mask, 4, torch.where(fate < corruption.mask + corruption.random, random_pieces, ids)
    )
    return {**batch, "input_ids": torch.where(selected, new, ids), "labels": torch.where(selected, ids, -100)}
