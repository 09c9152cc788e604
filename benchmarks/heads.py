"""What the heads of a nano BERT do, with several seeds: which findings of chapter 13 survive another seed.

Trains the chapter's model with each seed and repeats its measurements: what heads give to neighbours and delimiters,
true relations against rules that need no trained head (a fixed offset learned from other pairs, the nearest and the
first word of the right class, an untrained model), cutting heads by zeros and by their mean, and whether a head looks
before the model knows.

    python benchmarks/heads.py --write heads.md
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from statistics import mode
from typing import NamedTuple

import torch
from common import circumstances, publish, table
from torch import Tensor

from bertmini.data.pairs import Pair
from bertmini.data.pretraining import lay_out
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.inside import without_heads
from bertmini.microworld import Floor, World, WorldPair, split_generator
from bertmini.microworld.relations import NAMES, relations, words_of
from bertmini.model.pretraining import BertForPreTraining
from bertmini.runs.fill_mask import fill_mask
from bertmini.runs.materials import make_stream
from bertmini.runs.pretrain import build_model, make_recipe
from bertmini.runs.settings import choose_settings
from bertmini.runs.world import WorldPairs
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

WORLD = World.default()
TOKENIZER = WordPieceTokenizer.from_vocab(WORLD.vocabulary())
LAYERS, HEADS = 2, 4
WORK = {"read": "map book poem", "drank": "tea milk coffee", "fed": "goat cat parrot", "fixed": "clock lamp kettle"}
NAMED = {"she": "ada bea clara", "he": "bruno hugo otto"}
THINGS = {thing for things in WORK.values() for thing in things.split()}
BE = {"boat": ("was", "is", "seems"), "boats": ("were", "are", "seem")}
Question = tuple[str, str, tuple[str, ...]]  # first sentence, second with a blank, the right words
QUESTIONS: dict[str, list[Question]] = {
    "verb": [
        ("ada saw the boats.", f"then she [MASK] the old {thing} at noon.", (verb,))
        for verb, things in WORK.items()
        for thing in things.split()
    ],
    "thing": [
        ("ada saw the boats.", f"then she {verb} the old [MASK] at noon.", tuple(things.split()))
        for verb, things in WORK.items()
    ],
    "be": [("ada saw the boats.", f"the {subject} [MASK] wet.", right) for subject, right in BE.items()],
    "be, past a noun of the other number": [
        ("ada saw the boats.", f"the {subject} near the {other} [MASK] wet.", right)
        for subject, right in BE.items()
        for other in (("herons", "banks") if subject == "boat" else ("heron", "bank"))
    ],
    "state": [
        (f"ada saw the {noun}s.", f"the {noun} was [MASK].", right)
        for noun, right in (
            ("boat", ("wet", "adrift")),
            ("rose", ("asleep", "muddy")),
            ("desk", ("late", "missing")),
            ("heron", ("wet", "adrift")),
        )
    ],
    "pronoun": [
        (f"{name} saw the boats.", "then [MASK] fixed the old clock at noon.", (pronoun,))
        for pronoun, names in NAMED.items()
        for name in names.split()
    ],
}


FURTHER: list[Question] = [(a, b.replace("the old", "the last old"), right) for a, b, right in QUESTIONS["verb"]]


class Contest(NamedTuple):
    """How often the right word is found, by the head and the rules that did best on other pairs."""

    head: str
    words: int
    hits: float
    offset: float
    nearest: float  # the nearest word of a class: all words that are right in any of the pairs
    first: float  # the first word of the class in the sentence
    past: dict[int, tuple[int, float]]  # by how many words of the class lie between: cases, and the head's hits


@dataclass
class Findings:
    """One seed's measurements."""

    shares: dict[str, Tensor] = field(default_factory=dict)  # (L, H) each
    hits: dict[str, Contest] = field(default_factory=dict)
    before: dict[str, Contest] = field(default_factory=dict)  # the untrained model's
    chances: dict[str, float] = field(default_factory=dict)
    cuts: dict[str, Tensor] = field(default_factory=dict)  # (L, H) each, zeros in the head's place
    means: dict[str, Tensor] = field(default_factory=dict)  # and its mean
    on_thing: Tensor = field(default_factory=lambda: torch.zeros(LAYERS, HEADS))
    on_further: Tensor = field(default_factory=lambda: torch.zeros(LAYERS, HEADS))  # one adjective more
    on_third: Tensor = field(default_factory=lambda: torch.zeros(LAYERS, HEADS))  # three to the right, there
    on_name: Tensor = field(default_factory=lambda: torch.zeros(LAYERS, HEADS))
    history: list[tuple[int, float, float]] = field(default_factory=list)  # step, most on the thing, right verb
    taught: float = 0.0  # the right pronoun after lessons in pronouns
    forgot: float = 0.0  # and the right verb
    untaught: Tensor = field(default_factory=lambda: torch.zeros(LAYERS, HEADS))  # and the pronoun without each head


class Lessons:
    """Batches of true pairs in which nothing is hidden but the pronoun of the second sentence."""

    def __init__(self) -> None:
        """Draw the pairs."""
        drawn = WORLD.sample_pairs(6_000, generator=split_generator("train", seed=13))
        pairs = [p for p in drawn if p.label == 0 and p.places[0] == "story: Opening" and "Act" in p.places[1]]
        self.batch = lay_out([[Pair(*TOKENIZER.encode_ids([p.first, p.second]), 0)] for p in pairs], TOKENIZER)
        ids = self.batch["input_ids"]
        hidden = torch.isin(ids, torch.tensor(TOKENIZER.convert_tokens_to_ids(list(NAMED))))
        self.batch |= {
            "labels": torch.where(hidden, ids, -100),
            "input_ids": torch.where(hidden, TOKENIZER.mask_id, ids),
        }
        self.generator = torch.Generator().manual_seed(1)

    def __next__(self) -> dict[str, Tensor]:
        """Take 64 of them."""
        rows = torch.randint(len(self.batch["labels"]), (64,), generator=self.generator)
        return {name: tensor[rows] for name, tensor in self.batch.items()}

    def state_dict(self) -> dict[str, int]:
        """Say nothing: the run is never resumed."""
        return {}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Do nothing."""


def teach_pronouns(model: BertForPreTraining) -> BertForPreTraining:
    """A copy of the model after 60 steps of lessons."""
    model = deepcopy(model)
    train(model, Lessons(), Recipe(steps=60, learning_rate=1e-3), device="cpu", progress=False)
    return model.eval()


def train_model(seed: int, steps: int, found: Findings) -> BertForPreTraining:
    """Train as chapter 13 does, and write down on the way what heads look at and what the model knows."""
    plain = {"optimizer": "adamw", "warmup": 0.1, "schedule": "linear", "early_share": 0.0}
    settings = choose_settings({"steps": steps, "batch_size": 64, "learning_rate": 3e-3, "seed": seed} | plain)
    model = build_model(settings, len(TOKENIZER), TOKENIZER.pad_id)
    if steps > 1:
        stream = make_stream(WorldPairs(WORLD), TOKENIZER, settings)
        found.history.clear()

        def look(model: BertForPreTraining) -> dict[str, float]:
            """The loop asks at every twentieth of the run, and first of all before it."""
            with torch.no_grad():
                most = float(from_blank(model, QUESTIONS["verb"], place_of_thing).max())
                found.history.append((len(found.history) * steps // 20, most, ask(model, QUESTIONS["verb"])))
            return {}

        train(model, stream, make_recipe(settings), evaluate=look, device="cpu", progress=False)
    return model.eval()


def encode(first: str, second: str) -> tuple[list[str], Tensor, Tensor]:
    """Tokens, ids (1, S) and segments (1, S) of a pair."""
    encoding = TOKENIZER.encode(first, second)
    return encoding.tokens, torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])


def attention(model: BertForPreTraining, first: str, second: str) -> tuple[list[str], Tensor]:
    """Tokens of a pair, and every head's weights (L, H, S, S)."""
    tokens, ids, types = encode(first, second)
    return tokens, torch.cat(model.bert(ids, types, output_attentions=True).attentions or ())


def read(model: BertForPreTraining, pairs: Sequence[WorldPair]) -> list[Tensor]:
    """Every pair's attention (L, H, S, S), without the padding."""
    rows = [[Pair(*TOKENIZER.encode_ids([pair.first, pair.second]), 0)] for pair in pairs]
    batch = lay_out(rows, TOKENIZER)
    inputs = (batch["input_ids"], batch["token_type_ids"], batch["attention_mask"])
    stack = torch.stack(model.bert(*inputs, output_attentions=True).attentions or (), dim=1)
    lengths = batch["attention_mask"].sum(1).tolist()
    return [weights[..., :length, :length] for weights, length in zip(stack, lengths, strict=True)]


def mean_shares(readings: Sequence[Tensor], pairs: Sequence[WorldPair]) -> dict[str, Tensor]:
    """Every head's mean share of each pattern, (L, H)."""
    sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros(LAYERS, HEADS))
    for weights, pair in zip(readings, pairs, strict=True):
        length = weights.shape[-1]
        delimiters = torch.tensor([0, len(pair.pieces[0]) + 1, length - 1])
        sums["previous"] += weights.diagonal(-1, -2, -1).sum(-1) / (length - 1)
        sums["next"] += weights.diagonal(1, -2, -1).sum(-1) / (length - 1)
        sums["same"] += weights.diagonal(0, -2, -1).sum(-1) / length
        sums["delimiter"] += weights[..., delimiters].sum((-2, -1)) / length
        sums["entropy"] -= torch.special.xlogy(weights, weights).sum(-1).mean(-1) / math.log(length)
    return {name: total / len(pairs) for name, total in sums.items()}


class Case(NamedTuple):
    """A word that asks and the right one, by number, among all words of a pair."""

    words: list[str]
    sentences: list[int]  # of each word, the number of its sentence
    asks: int
    asked: int


def examine(readings: Sequence[Tensor], pairs: Sequence[WorldPair]) -> dict[str, tuple[Tensor, list[Case]]]:
    """For each relation, asked both ways: at which words each head is right (N, L * H), and what they stand among."""
    right: dict[str, list[Tensor]] = defaultdict(list)
    cases: dict[str, list[Case]] = defaultdict(list)
    for weights, pair in zip(readings, pairs, strict=True):
        told = words_of(pair)
        words, of_word = [word for s in told for word in s], [n for n, sentence in enumerate(told) for _ in sentence]
        texts = [word.text for word in words]
        number = {word.places: i for i, word in enumerate(words)}
        member = torch.zeros(weights.shape[-1], len(words))
        for i, word in enumerate(words):
            member[list(word.places), i] = 1
        by_word = (member / member.sum(0)).T @ weights @ member
        most = by_word.masked_fill(torch.eye(len(words), dtype=torch.bool), -1).argmax(-1)  # (L, H, W)
        for name, dependent, head in relations(pair):
            ends = number[dependent.places], number[head.places]
            for key, (asks, asked) in ((name, ends), (turned(name), ends[::-1])):
                right[key].append((most[..., asks] == asked).flatten())
                cases[key].append(Case(texts, of_word, asks, asked))
    return {key: (torch.stack(found).float(), cases[key]) for key, found in right.items()}


def of_class(case: Case, known: set[str]) -> list[int]:
    """The words of a class, nearest to the one that asks first."""
    there = [i for i, text in enumerate(case.words) if text in known and i != case.asks]
    return sorted(there, key=lambda i: abs(i - case.asks))


def first_of_class(case: Case, known: set[str]) -> int | None:
    """The first word of a class in the sentence of the one that asks."""
    sentence = case.sentences[case.asks]
    return min((i for i in of_class(case, known) if case.sentences[i] == sentence), default=None)


def turned(name: str) -> str:
    """The relation asked the other way round."""
    return " → ".join(name.split(" → ")[::-1])


def contest(readings: Sequence[Tensor], pairs: Sequence[WorldPair], chosen_on: int) -> dict[str, Contest]:
    """The head and the offset that are best on the first pairs, and the class of words: their hits on the others."""
    chosen = examine(readings[:chosen_on], pairs[:chosen_on])
    tested = examine(readings[chosen_on:], pairs[chosen_on:])
    found = {}
    for key, (right, cases) in tested.items():
        means, known = chosen[key][0].mean(0), {case.words[case.asked] for case in [*chosen[key][1], *cases]}
        best = int(means.argmax())
        name = f"{best // HEADS}.{best % HEADS}" if means[best] > 0 else "none"  # a best of noughts is no head
        offset = mode([case.asked - case.asks for case in chosen[key][1]])
        ranks = [of_class(case, known).index(case.asked) for case in cases]
        past = {}
        for rank in (0, 1, 2):
            rows = torch.tensor([r == rank for r in ranks])
            past[rank] = int(rows.sum()), float(right[rows, best].mean()) if rows.any() else math.nan
        found[key] = Contest(
            name,
            len(cases),
            float(right[:, best].mean()) if name != "none" else 0.0,
            sum(case.asked - case.asks == offset for case in cases) / len(cases),
            sum(rank == 0 for rank in ranks) / len(cases),
            sum(first_of_class(case, known) == case.asked for case in cases) / len(cases),
            past,
        )
    return found


def ask(model: BertForPreTraining, questions: Sequence[Question]) -> float:
    """The mean probability of the right words at the blanks."""
    total = 0.0
    for first, second, right in questions:
        guesses = fill_mask(model, TOKENIZER, first, second, best=len(TOKENIZER))[0]
        total += sum(guess.probability for guess in guesses if guess.piece in right)
    return total / len(questions)


def best_possible(questions: Sequence[Question]) -> float:
    """The mean probability that the right words have for one who knows the grammar."""
    rows = [[Pair(*TOKENIZER.encode_ids([first, second]), 0)] for first, second, _ in questions]
    batch = lay_out(rows, TOKENIZER)
    right = [TOKENIZER.convert_tokens_to_ids(list(words)) for *_, words in questions]
    answers = torch.tensor([[ids[0]] for ids in right])
    batch |= {"labels": torch.where(batch["input_ids"] == TOKENIZER.mask_id, answers, -100)}
    known = Floor.pairs(WORLD).words(batch).probabilities
    return sum(float(row[ids].sum()) for row, ids in zip(known, right, strict=True)) / len(questions)


def head_means(model: BertForPreTraining, pairs: Sequence[WorldPair]) -> list[Tensor]:
    """What the heads of each layer hand to the output projection, (H * D), on average over all places of some pairs."""
    batch = lay_out([[Pair(*TOKENIZER.encode_ids([pair.first, pair.second]), 0)] for pair in pairs], TOKENIZER)
    there, caught = batch["attention_mask"] > 0, []
    hooks = [
        layer.attention.output.register_forward_pre_hook(lambda _, taken: caught.append(taken[0][there].mean(0)))
        for layer in model.bert.layers
    ]
    model.bert(batch["input_ids"], batch["token_type_ids"], batch["attention_mask"])
    for hook in hooks:
        hook.remove()
    return caught


@contextmanager
def averaged(model: BertForPreTraining, layer: int, head: int, means: Sequence[Tensor]) -> Iterator[None]:
    """Put a head's mean in its place until the block ends."""
    own = slice(head * len(means[layer]) // HEADS, (head + 1) * len(means[layer]) // HEADS)

    def replace(_: torch.nn.Module, taken: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        mixed = taken[0].clone()
        mixed[..., own] = means[layer][own]
        return mixed, *taken[1:]

    hook = model.bert.layers[layer].attention.output.register_forward_pre_hook(replace)
    yield
    hook.remove()


def ask_without_each(
    model: BertForPreTraining, questions: Sequence[Question], means: Sequence[Tensor] | None = None
) -> Tensor:
    """The mean probability of the right words (L, H) with each head in turn cut, or replaced by its mean."""
    chances = torch.zeros(LAYERS, HEADS)
    for layer, head in product(range(LAYERS), range(HEADS)):
        with averaged(model, layer, head, means) if means else without_heads(model, [(layer, head)]):
            chances[layer, head] = ask(model, questions)
    return chances


def place_of_thing(tokens: list[str]) -> int:
    """Where the thing stands."""
    return next(place for place, token in enumerate(tokens) if token in THINGS)


def third(tokens: list[str]) -> int:
    """Three places to the right of the blank."""
    return tokens.index("[MASK]") + 3


def from_blank(model: BertForPreTraining, questions: Sequence[Question], place: Callable[[list[str]], int]) -> Tensor:
    """The mean weight (L, H) that the blank gives to a place."""
    total = torch.zeros(LAYERS, HEADS)
    for first, second, _ in questions:
        tokens, weights = attention(model, first, second)
        total += weights[:, :, tokens.index("[MASK]"), place(tokens)] / len(questions)
    return total


def measure(model: BertForPreTraining, pairs: Sequence[WorldPair], chosen_on: int, found: Findings) -> Findings:
    """All measurements of one model."""
    with torch.no_grad():
        readings = read(model, pairs)
        found.shares, found.hits = mean_shares(readings, pairs), contest(readings, pairs, chosen_on)
        means = head_means(model, pairs[:200])
        for name, questions in QUESTIONS.items():
            found.chances[name] = ask(model, questions)
            found.cuts[name] = ask_without_each(model, questions)
            found.means[name] = ask_without_each(model, questions, means)
        found.on_thing = from_blank(model, QUESTIONS["verb"], place_of_thing)
        found.on_further, found.on_third = (from_blank(model, FURTHER, place) for place in (place_of_thing, third))
        found.on_name = from_blank(model, QUESTIONS["pronoun"], lambda tokens: 1)  # noqa: ARG005
    return found


def measure_lessons(model: BertForPreTraining, found: Findings) -> None:
    """Teach pronouns, then cut each head."""
    taught = teach_pronouns(model)
    found.taught, found.forgot = ask(taught, QUESTIONS["pronoun"]), ask(taught, QUESTIONS["verb"])
    found.untaught = ask_without_each(taught, QUESTIONS["pronoun"])


def head_name(values: Tensor) -> str:
    """The head with the largest value, and the value."""
    best = int(values.argmax())
    name = f"{best // HEADS}.{best % HEADS}" if values.any() else "none"
    return f"{values.max():.2f} ({name})"


def beats(found: Findings, key: str) -> bool:
    """Whether the head beats the rules by a tenth: offset, nearest word of the class, untrained head."""
    own = found.hits[key]
    return own.hits > max(own.offset, own.nearest, found.before[key].hits) + 0.1


def contest_in_words(found: Findings, key: str) -> str:
    """The hits of the head, and of what needs no trained head."""
    own = found.hits[key]
    return (
        f"{own.hits:.2f} ({own.head}), offset {own.offset:.2f}, nearest {own.nearest:.2f}, "
        f"first {own.first:.2f}, untrained {found.before[key].hits:.2f}"
    )


def past_in_words(found: Findings, key: str) -> str:
    """The head's hits by how many nouns lie between."""
    return "/".join(f"{hits:.2f}" for _, hits in found.hits[key].past.values())


def several_look(found: Findings, cuts: Tensor) -> tuple[bool, str]:
    """Whether several heads of the last layer look at the thing, and one alone in the model is needed."""
    last = LAYERS - 1
    looking = (found.on_thing[last] > 1 / 4).nonzero().flatten().tolist()
    needed = (cuts < found.chances["verb"] * 2 / 3).nonzero().tolist()
    said = "look: " + ", ".join(f"{last}.{head}" for head in looking)
    said += "; needed: " + (", ".join(f"{layer}.{head}" for layer, head in needed) or "none")
    return len(looking) > 1 and len(needed) == 1, said


def cut_of(found: Findings, among: Tensor, cuts: Tensor, *, most: bool) -> tuple[float, str]:
    """The share of the right verb that is lost without one of some heads (L, H): the one needed most, or least.

    In words: the head, its weight on the thing, the right verb with all heads and without this one.
    """
    whole, heads = found.chances["verb"], among.nonzero().tolist()
    lost = 1 - cuts / whole
    if not heads:
        return math.nan, "no such head"
    layer, head = sorted(heads, key=lambda at: float(lost[at[0], at[1]]), reverse=most)[0]
    said = f"{layer}.{head}: {found.on_thing[layer, head]:.2f}, {whole:.2f} then {cuts[layer, head]:.2f}"
    return float(lost[layer, head]), said


def follows(found: Findings) -> tuple[bool, str]:
    """Whether the head that gives the thing most still does when it stands one word further on."""
    best = int(found.on_thing.argmax())
    thing, place = float(found.on_further.flatten()[best]), float(found.on_third.flatten()[best])
    return thing > 1 / 2 > place, f"{best // HEADS}.{best % HEADS}: thing {thing:.2f}, old place {place:.2f}"


def looks_first(found: Findings) -> tuple[bool, str]:
    """Whether at some step a head gives the thing half, and the verb is still little better than a guess."""
    half = [(step, look, verb) for step, look, verb in found.history if look >= 1 / 2]
    if not half:
        return False, "no head gives it half"
    step, look, verb = half[0]
    return verb < 1 / 3, f"step {step}: {look:.2f}, right verb {verb:.2f}"


def loses(cuts: str, most: bool, among: Callable[[Findings], Tensor], enough: Callable[[float], bool]) -> "Check":
    """A statement about what is lost without a certain head."""

    def check(found: Findings) -> tuple[bool, str]:
        lost, said = cut_of(found, among(found), getattr(found, cuts)["verb"], most=most)
        return enough(lost), said

    return check


def finds(key: str) -> "Check":
    """The statement that a head beats what needs no trained head."""
    return lambda found: (beats(found, key), contest_in_words(found, key))


Check = Callable[[Findings], tuple[bool, str]]
STATEMENTS: dict[str, Check] = {
    "no head gives 0.4 or more to the delimiters": lambda f: (
        float(f.shares["delimiter"].max()) < 0.4,
        head_name(f.shares["delimiter"]),
    ),
    "a head finds the subject of *be* better than the rules": finds("be → subject"),
    "a head finds the subject of a state better than the rules": finds("state → subject"),
    "a head finds the state of a subject better than the rules": finds("subject → state"),
    "a head finds the verb of an object better than the rules": finds("object → verb"),
    "no head finds either subject better than the rule that takes the first noun of the sentence": lambda f: (
        all(f.hits[key].hits <= f.hits[key].first for key in ("be → subject", "state → subject")),
        f"first noun {min(f.hits[key].first for key in ('be → subject', 'state → subject')):.2f}",
    ),
    "past one noun or two, a head finds the subject of *be* or of its state half the time or more": lambda f: (
        max(min(hits for _, hits in list(f.hits[key].past.values())[1:]) for key in ("be → subject", "state → subject"))
        >= 1 / 2,
        f"none/one/two: be {past_in_words(f, 'be → subject')}, state {past_in_words(f, 'state → subject')}",
    ),
    "a noun of the other number before *be* costs less than a tenth of the right form": lambda f: (
        f.chances["be, past a noun of the other number"] > 0.9 * f.chances["be"],
        f"{f.chances['be']:.2f}, then {f.chances['be, past a noun of the other number']:.2f}",
    ),
    "no head finds the name of a pronoun": lambda f: (
        f.hits["pronoun → name"].hits < 0.1 and f.chances["pronoun"] < 0.55,
        f"{f.hits['pronoun → name'].hits:.2f}, right pronoun {f.chances['pronoun']:.2f}",
    ),
    "taught pronouns, the model has one head for them: without it the right pronoun falls below 0.7": lambda f: (
        f.taught > 0.9 and int((f.untaught < 0.7).sum()) == 1,
        f"{f.taught:.2f}, {f.untaught.min():.2f} without {head_name(-f.untaught).partition('(')[2].rstrip(')')}",
    ),
    "the lessons cost a twentieth of the right verb or more": lambda f: (
        f.forgot < f.chances["verb"] - 0.05,
        f"{f.chances['verb']:.2f}, then {f.forgot:.2f}",
    ),
    "several heads look from the blank at the thing, and no other head of the model is needed": lambda f: several_look(
        f, f.cuts["verb"]
    ),
    "the same, by the mean": lambda f: several_look(f, f.means["verb"]),
    "the head that gives the thing most is needed: a third of the right verb is lost, or more": loses(
        "cuts", True, lambda f: f.on_thing == f.on_thing.max(), lambda lost: lost >= 1 / 3
    ),
    "the head that gives the thing most is needed, by its mean": loses(
        "means", True, lambda f: f.on_thing == f.on_thing.max(), lambda lost: lost >= 1 / 3
    ),
    "another head gives the thing a quarter or more and is not needed: less than a tenth is lost": loses(
        "cuts", False, lambda f: (f.on_thing >= 1 / 4) & (f.on_thing < f.on_thing.max()), lambda lost: lost < 1 / 10
    ),
    "another head gives the thing a quarter or more and is not needed, by its mean": loses(
        "means", False, lambda f: (f.on_thing >= 1 / 4) & (f.on_thing < f.on_thing.max()), lambda lost: lost < 1 / 10
    ),
    "a head that gives the thing less than a tenth is needed: a third is lost, or more": loses(
        "cuts", True, lambda f: f.on_thing < 1 / 10, lambda lost: lost >= 1 / 3
    ),
    "a head that gives the thing less than a tenth is needed, by its mean": loses(
        "means", True, lambda f: f.on_thing < 1 / 10, lambda lost: lost >= 1 / 3
    ),
    "the head follows the thing, one word further on": follows,
    "a head gives the thing half while the verb is still below a third": looks_first,
}


def statements(runs: Sequence[Findings]) -> str:
    """Each finding, with each seed's numbers, and whether it holds in all."""
    rows = []
    for statement, check in STATEMENTS.items():
        held = [check(run) for run in runs]
        cells = [f"{'yes' if holds else '**no**'}: {numbers}" for holds, numbers in held]
        rows.append([statement, *cells, f"{sum(holds for holds, _ in held)} of {len(runs)}"])
    return table(["finding", *(f"seed {seed}" for seed in range(len(runs))), "holds"], rows)


def relation_table(runs: Sequence[Findings], untrained: Findings) -> str:
    """Hits on the other pairs, by relation and seed, of the head chosen on the first."""
    rows = []
    for name in NAMES:
        for key in (name, turned(name)):
            own, cells = runs[0].hits[key], [f"{run.hits[key].hits:.2f} ({run.hits[key].head})" for run in runs]
            numbers = [own.offset, own.nearest, own.first, untrained.hits[key].hits]
            rows.append([key, str(own.words), *(f"{n:.2f}" for n in numbers), *cells])
    seeds = [f"seed {seed}" for seed in range(len(runs))]
    return table(
        ["asks → right word", "words", "offset", "nearest of the class", "first of the class", "untrained", *seeds],
        rows,
    )


def past_table(runs: Sequence[Findings]) -> str:
    """Hits by the number of nouns between."""
    rows = []
    for key in ("be → subject", "state → subject"):
        for rank, (cases, _) in runs[0].hits[key].past.items():
            rows.append([key, str(rank), str(cases), *(f"{run.hits[key].past[rank][1]:.2f}" for run in runs)])
    return table(["asks → right word", "nouns between", "words", *(f"seed {seed}" for seed in range(len(runs)))], rows)


def cut_table(runs: Sequence[Findings]) -> str:
    """The right answer's probability with all heads, and without the head that is needed most, cut and averaged."""
    rows = []
    for name, questions in QUESTIONS.items():
        cells = []
        for run in runs:
            cell = f"{run.chances[name]:.2f}"
            for cuts in (run.cuts[name], run.means[name]):
                worst = int(cuts.argmin())
                cell += f", {cuts.min():.2f} without {worst // HEADS}.{worst % HEADS}"
            cells.append(cell)
        rows.append([name, f"{best_possible(questions):.2f}", *cells])
    return table(["hidden word", "best possible", *(f"seed {seed}" for seed in range(len(runs)))], rows)


def main() -> None:
    """Print the tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    drawn = WORLD.sample_pairs(6_000, generator=split_generator("test", seed=14))
    pairs = [pair for pair in drawn if pair.label == 0 and pair.places[0].startswith(("story", "review"))]
    pairs, chosen_on = pairs[:2_000], 400
    untrained = measure(train_model(0, 1, Findings()), pairs, chosen_on, Findings())
    runs = []
    for seed in range(asked.seeds):
        runs.append(Findings(before=untrained.hits))
        model = train_model(seed, asked.steps, runs[-1])
        measure(model, pairs, chosen_on, runs[-1])
        measure_lessons(model, runs[-1])
        print(f"seed {seed}: {runs[-1].chances}", flush=True)
    text = "\n\n".join(
        [
            f"# Heads of a nano BERT, {asked.seeds} seeds",
            circumstances(torch.device("cpu")),
            f"{asked.steps:,} steps of 64 pairs, as in chapter 13; heads are written layer.head. Measured on "
            f"{len(pairs):,} pairs of stories and reviews, drawn apart from the training text; head and offset are "
            f"chosen on the first {chosen_on} and tested on the others. The class of words is known whole; the first "
            "of the class is the first in the sentence. *The rules* are the fixed offset, the nearest word of the "
            "class and an untrained model; better means by a tenth than each of them.",
            "## What survives",
            statements(runs),
            "## Relations: the share of words at which the right word gets the most weight",
            relation_table(runs, untrained),
            "## Past other nouns: the same share, by how many nouns lie between",
            past_table(runs),
            "## Cutting: the right word's mean probability, and without the head that is needed most, by zeros, by its "
            "mean",
            cut_table(runs),
        ]
    )
    publish(text, asked.write)


if __name__ == "__main__":
    main()
