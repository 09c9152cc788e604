"""What the heads of a nano BERT do, with several seeds: which findings of chapter 13 survive another seed.

Trains the chapter's model with each seed and repeats its measurements: patterns, true relations against a fixed offset
chosen on other pairs, cutting heads, the split of layer 0's scores, one word in two senses.

    python benchmarks/heads.py --write heads.md
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product

import torch
from common import circumstances, store, table
from torch import Tensor

from bertmini.data.pairs import Pair
from bertmini.data.pretraining import lay_out
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.inside import without_heads
from bertmini.microworld import World, WorldPair, split_generator
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
    "number": [
        ("ada saw the boats.", f"the {subject} near the {other} [MASK] wet.", right)
        for subject, right in (("boat", ("was", "is", "seems")), ("boats", ("were", "are", "seem")))
        for other in ("heron", "herons", "bank", "banks")
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


@dataclass
class Findings:
    """One seed's measurements."""

    shares: dict[str, Tensor] = field(default_factory=dict)  # (L, H) each
    hits: dict[str, tuple[str, float, float]] = field(default_factory=dict)  # head, its hits, the offset's
    before: dict[str, tuple[str, float, float]] = field(default_factory=dict)  # the untrained model's hits
    chances: dict[str, float] = field(default_factory=dict)
    cuts: dict[str, Tensor] = field(default_factory=dict)  # (L, H) each
    on_thing: Tensor = field(default_factory=lambda: torch.zeros(LAYERS, HEADS))
    on_name: Tensor = field(default_factory=lambda: torch.zeros(LAYERS, HEADS))
    owed: dict[str, float] = field(default_factory=dict)
    senses: dict[str, float] = field(default_factory=dict)
    taught: float = 0.0  # the right pronoun after lessons in pronouns
    untaught: Tensor = field(default_factory=lambda: torch.zeros(LAYERS, HEADS))  # and without each head


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


def train_model(seed: int, steps: int) -> BertForPreTraining:
    """Train as chapter 13 does."""
    plain = {"optimizer": "adamw", "warmup": 0.1, "schedule": "linear", "early_share": 0.0}
    settings = choose_settings({"steps": steps, "batch_size": 64, "learning_rate": 3e-3, "seed": seed} | plain)
    model = build_model(settings, len(TOKENIZER), TOKENIZER.pad_id)
    if steps > 1:
        stream = make_stream(WorldPairs(WORLD), TOKENIZER, settings)
        train(model, stream, make_recipe(settings), device="cpu", progress=False)
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


def examine(readings: Sequence[Tensor], pairs: Sequence[WorldPair]) -> dict[str, tuple[Tensor, Tensor]]:
    """For each relation and direction, at which words each head is right (N, L * H), and how far the right word is."""
    right: dict[str, list[Tensor]] = defaultdict(list)
    offsets: dict[str, list[int]] = defaultdict(list)
    for weights, pair in zip(readings, pairs, strict=True):
        words = [word for sentence in words_of(pair) for word in sentence]
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
                offsets[key].append(asked - asks)
    return {key: (torch.stack(found).float(), torch.tensor(offsets[key])) for key, found in right.items()}


def turned(name: str) -> str:
    """The relation asked the other way round."""
    return " → ".join(name.split(" → ")[::-1])


def contest(readings: Sequence[Tensor], pairs: Sequence[WorldPair]) -> dict[str, tuple[str, float, float]]:
    """The head and the offset that are best on the first half of the pairs, and the hits of both on the second."""
    half = len(pairs) // 2
    chosen, tested = examine(readings[:half], pairs[:half]), examine(readings[half:], pairs[half:])
    found = {}
    for key, (right, offsets) in tested.items():
        means = chosen[key][0].mean(0)
        best = int(means.argmax())
        name = f"{best // HEADS}.{best % HEADS}" if means[best] > 0 else "none"  # a best of noughts is no head
        by_offset = float((offsets == chosen[key][1].mode().values).float().mean())
        found[key] = (name, float(right[:, best].mean()) if name != "none" else 0.0, by_offset)
    return found


def ask(model: BertForPreTraining, questions: Sequence[Question]) -> float:
    """The mean probability of the right words at the blanks."""
    total = 0.0
    for first, second, right in questions:
        guesses = fill_mask(model, TOKENIZER, first, second, best=len(TOKENIZER))[0]
        total += sum(guess.probability for guess in guesses if guess.piece in right)
    return total / len(questions)


def ask_without_each(model: BertForPreTraining, questions: Sequence[Question]) -> Tensor:
    """The mean probability of the right words with each head cut in turn, (L, H)."""
    chances = torch.zeros(LAYERS, HEADS)
    for layer, head in product(range(LAYERS), range(HEADS)):
        with without_heads(model, [(layer, head)]):
            chances[layer, head] = ask(model, questions)
    return chances


def from_blank(model: BertForPreTraining, questions: Sequence[Question], place: Callable[[list[str]], int]) -> Tensor:
    """The mean weight (L, H) that the blank gives to a place."""
    total = torch.zeros(LAYERS, HEADS)
    for first, second, _ in questions:
        tokens, weights = attention(model, first, second)
        total += weights[:, :, tokens.index("[MASK]"), place(tokens)] / len(questions)
    return total


def split_scores(model: BertForPreTraining) -> dict[str, float]:
    """How much of what makes layer 0's scores differ along a row is owed to the key's word, place and sentence."""
    owed: dict[str, float] = defaultdict(float)
    layer, embeddings = model.bert.layers[0].attention, model.bert.embeddings
    for first, second, _ in QUESTIONS["verb"]:
        tokens, ids, types = encode(first, second)
        sources = {
            "word": embeddings.word(ids),
            "place": embeddings.position(torch.arange(len(tokens))[None]),
            "sentence": embeddings.token_type(types),
        }
        total, norm = sum(sources.values()), embeddings.layer_norm
        spread = (total.var(-1, unbiased=False, keepdim=True) + norm.eps).sqrt()
        query = layer.split(layer.query(norm(total)))
        parts = {}
        for name, source in sources.items():
            key = (source - source.mean(-1, keepdim=True)) / spread * norm.weight @ layer.key.weight.T
            scores = query @ layer.split(key).transpose(-2, -1)
            parts[name] = scores - scores.mean(-1, keepdim=True)
        whole = sum(parts.values())
        for name, part in parts.items():
            share = (part * whole).mean((0, 2, 3)) / whole.square().mean((0, 2, 3))  # (H,)
            owed[name] += float(share.mean()) / len(QUESTIONS["verb"])
    return dict(owed)


def two_senses(model: BertForPreTraining) -> dict[str, float]:
    """How the row of *bank* and what attention adds to it change from wet to late, in the last layer."""
    layer = model.bert.layers[LAYERS - 1].attention
    rows, values, states = [], [], []
    for state in ("wet", "late"):
        tokens, ids, types = encode("ada saw the bank.", f"the bank was {state}.")
        place = len(tokens) - 1 - tokens[::-1].index("bank")
        output = model.bert(ids, types, output_attentions=True, output_hidden_states=True)
        rows.append(output.attentions[LAYERS - 1][0, :, place])
        values.append(layer.split(layer.value(output.hidden_states[LAYERS - 1]))[0])
        states.append(output.last_hidden_state[0, place])
    by_weights = torch.einsum("hj,hjd->hd", rows[1] - rows[0], values[0]).flatten()
    by_values = torch.einsum("hj,hjd->hd", rows[1], values[1] - values[0]).flatten()
    return {
        "moved": float((rows[0] - rows[1]).abs().sum(-1).max() / 2),
        "by weights": float((layer.output.weight @ by_weights).norm()),
        "by values": float((layer.output.weight @ by_values).norm()),
        "alike": float(torch.cosine_similarity(states[0], states[1], dim=0)),
    }


def measure(model: BertForPreTraining, pairs: Sequence[WorldPair]) -> Findings:
    """All measurements of one model."""
    with torch.no_grad():
        readings = read(model, pairs)
        found = Findings(shares=mean_shares(readings, pairs), hits=contest(readings, pairs))
        found.chances = {name: ask(model, questions) for name, questions in QUESTIONS.items()}
        found.cuts = {name: ask_without_each(model, questions) for name, questions in QUESTIONS.items()}
        found.on_thing = from_blank(model, QUESTIONS["verb"], lambda tokens: tokens.index("[MASK]") + 3)
        found.on_name = from_blank(model, QUESTIONS["pronoun"], lambda tokens: 1)  # noqa: ARG005
        found.owed, found.senses = split_scores(model), two_senses(model)
    return found


def measure_lessons(model: BertForPreTraining, found: Findings) -> None:
    """Teach pronouns, then cut each head."""
    taught = teach_pronouns(model)
    found.taught = ask(taught, QUESTIONS["pronoun"])
    found.untaught = ask_without_each(taught, QUESTIONS["pronoun"])


def head_name(values: Tensor) -> str:
    """The head with the largest value, and the value."""
    best = int(values.argmax())
    name = f"{best // HEADS}.{best % HEADS}" if values.any() else "none"
    return f"{values.max():.2f} ({name})"


def beats(found: Findings, key: str) -> bool:
    """Whether the head beats the offset, and the untrained model's head, by a tenth; all chosen on the first half."""
    return found.hits[key][1] > max(found.hits[key][2], found.before[key][1]) + 0.1


def contest_in_words(found: Findings, key: str) -> str:
    """The hits of the head, the offset and the untrained model's head, all chosen on the first half."""
    head, hits, by_offset = found.hits[key]
    return f"{hits:.2f} ({head}), offset {by_offset:.2f}, untrained {found.before[key][1]:.2f}"


def division(found: Findings) -> tuple[bool, str]:
    """Whether several heads look at the thing and only the cut of one halves the right verb."""
    last = LAYERS - 1
    looking = (found.on_thing[last] > 0.25).nonzero().flatten().tolist()
    needed = (found.cuts["verb"].flatten() < found.chances["verb"] / 1.5).sum()
    said = ", ".join(
        f"{last}.{head}: {found.on_thing[last, head]:.2f}, then {found.cuts['verb'][last, head]:.2f}"
        for head in looking
    )
    return len(looking) > 1 and int(needed) == 1, said


def cut_of(found: Findings, among: Tensor, *, most: bool) -> tuple[float, str]:
    """The share of the right verb that is lost without one of some heads (L, H): the one missed most, or least.

    In words: the head, its weight on the thing, the right verb with all heads and without this one.
    """
    whole, heads = found.chances["verb"], among.nonzero().tolist()
    lost = 1 - found.cuts["verb"] / whole
    if not heads:
        return math.nan, "no such head"
    layer, head = sorted(heads, key=lambda at: float(lost[at[0], at[1]]), reverse=most)[0]
    said = f"{layer}.{head}: {found.on_thing[layer, head]:.2f}, {whole:.2f} then {found.cuts['verb'][layer, head]:.2f}"
    return float(lost[layer, head]), said


Check = Callable[[Findings], tuple[bool, str]]
STATEMENTS: dict[str, Check] = {
    "a head of layer 0 gives 0.4 or more to the next token": lambda f: (
        float(f.shares["next"][0].max()) >= 0.4,
        head_name(f.shares["next"]),
    ),
    "a head of layer 0 gives 0.4 or more to a neighbour": lambda f: (
        float(torch.maximum(f.shares["previous"], f.shares["next"])[0].max()) >= 0.4,
        f"previous {head_name(f.shares['previous'][:1])}, next {head_name(f.shares['next'][:1])}",
    ),
    "no head gives 0.4 or more to the delimiters": lambda f: (
        float(f.shares["delimiter"].max()) < 0.4,
        head_name(f.shares["delimiter"]),
    ),
    "layer 0 chooses by place and sentence: less than 0.3 is owed to the word": lambda f: (
        f.owed["word"] < 0.3,
        ", ".join(f"{name} {share:.2f}" for name, share in f.owed.items()),
    ),
    "a head finds the state of a subject, by a tenth better than the first half's offset and untrained": lambda f: (
        beats(f, "subject → state"),
        contest_in_words(f, "subject → state"),
    ),
    "a head finds the object of a verb, by a tenth better than the first half's offset and untrained": lambda f: (
        beats(f, "verb → object"),
        contest_in_words(f, "verb → object"),
    ),
    "a head finds the subject of *be*, by a tenth better than the first half's offset and untrained": lambda f: (
        beats(f, "be → subject"),
        contest_in_words(f, "be → subject"),
    ),
    "no head finds the name of a pronoun": lambda f: (
        f.hits["pronoun → name"][1] < 0.1 and f.chances["pronoun"] < 0.55,
        f"{f.hits['pronoun → name'][1]:.2f}, right pronoun {f.chances['pronoun']:.2f}",
    ),
    "taught pronouns, the model has one head for them: without it the right pronoun falls below 0.7": lambda f: (
        f.taught > 0.9 and int((f.untaught < 0.7).sum()) == 1,
        f"{f.taught:.2f}, {f.untaught.min():.2f} without {head_name(-f.untaught).partition('(')[2].rstrip(')')}",
    ),
    "several heads look from the blank at the thing, one alone is needed": division,
    "the head that gives the thing most is missed: a third of the right verb is lost, or more": lambda f: (
        (cut := cut_of(f, f.on_thing == f.on_thing.max(), most=True))[0] >= 1 / 3,
        cut[1],
    ),
    "another head gives the thing a quarter or more and is not missed: less than a tenth is lost": lambda f: (
        (cut := cut_of(f, (f.on_thing >= 1 / 4) & (f.on_thing < f.on_thing.max()), most=False))[0] < 1 / 10,
        cut[1],
    ),
    "a head that gives the thing less than a tenth is missed: a third is lost, or more": lambda f: (
        (cut := cut_of(f, f.on_thing < 1 / 10, most=True))[0] >= 1 / 3,
        cut[1],
    ),
    "*bank* looks in two senses at the same, and is told something else": lambda f: (
        f.senses["moved"] < 0.1 and f.senses["by values"] > 2 * f.senses["by weights"],
        f"{f.senses['moved']:.2f} of a row moved; {f.senses['by weights']:.1f} by weights, "
        f"{f.senses['by values']:.1f} by values",
    ),
    "the two senses of *bank* differ more through values than through weights": lambda f: (
        f.senses["by values"] > f.senses["by weights"],
        f"{f.senses['moved']:.2f} of a row moved; {f.senses['by weights']:.1f} by weights, "
        f"{f.senses['by values']:.1f} by values",
    ),
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
    """Hits on the second half, of the head chosen on the first, by relation and seed."""
    rows = []
    for name in NAMES:
        for key in (name, turned(name)):
            cells = [f"{run.hits[key][1]:.2f} ({run.hits[key][0]})" for run in runs]
            rows.append([key, f"{runs[0].hits[key][2]:.2f}", f"{untrained.hits[key][1]:.2f}", *cells])
    return table(
        [
            "asks → right word",
            "offset chosen on the first half",
            "untrained",
            *(f"seed {seed}" for seed in range(len(runs))),
        ],
        rows,
    )


def cut_table(runs: Sequence[Findings]) -> str:
    """The right answer's probability with all heads, and without the head that is missed most."""
    rows = []
    for name in QUESTIONS:
        cells = []
        for run in runs:
            worst = int(run.cuts[name].argmin())
            least = float(run.cuts[name].min())
            cells.append(f"{run.chances[name]:.2f}, {least:.2f} without {worst // HEADS}.{worst % HEADS}")
        rows.append([name, *cells])
    return table(["hidden word", *(f"seed {seed}" for seed in range(len(runs)))], rows)


def main() -> None:
    """Print the tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    drawn = WORLD.sample_pairs(2_000, generator=split_generator("test", seed=14))
    pairs = [pair for pair in drawn if pair.label == 0 and pair.places[0].startswith(("story", "review"))][:800]
    untrained = measure(train_model(0, 1), pairs)
    runs = []
    for seed in range(asked.seeds):
        model = train_model(seed, asked.steps)
        runs.append(measure(model, pairs))
        measure_lessons(model, runs[-1])
        runs[-1].before = untrained.hits
        print(f"seed {seed}: {runs[-1].chances}", flush=True)
    text = "\n\n".join(
        [
            f"# Heads of a nano BERT, {asked.seeds} seeds",
            circumstances(torch.device("cpu")),
            f"{asked.steps:,} steps of 64 pairs, as in chapter 13; heads are written layer.head. Measured on "
            f"{len(pairs)} pairs of stories and reviews, drawn apart from the training text; head and offset "
            "chosen on the first half, tested on the second.",
            "## What survives",
            statements(runs),
            "## Relations: the share of words at which the right word gets the most weight",
            relation_table(runs, untrained),
            "## Cutting: the right word's mean probability, and without the head that is missed most",
            cut_table(runs),
        ]
    )
    print(text)
    if asked.write:
        store(asked.write, text)


if __name__ == "__main__":
    main()
