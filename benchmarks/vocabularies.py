"""What a vocabulary costs and buys: the same lines in pieces of many sizes, five seeds of each at two sizes of model.

One word of a held-out line is hidden, all its pieces at once, and the model fills it from left to right, each piece
with those before it visible; so it gives the whole word a probability, whatever its pieces are. The number of blanks is
seen, and tells something of the word: this is added, exactly, from the list of all lines. The sum is told in bits for
each letter of the hidden words, beside the least possible cost, which is then the same for all vocabularies. *New*: the
same at the noun of lines with a word that training never showed. Training hides one word of each line in the same way,
from a random piece onwards.

    python benchmarks/vocabularies.py --write vocabularies.md
"""

import argparse
import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from common import circumstances, store, table
from torch import Tensor

from bertmini import PRESETS, BertForMaskedLM, Recipe, WordPieceTokenizer, World, train
from bertmini.config import IGNORED, SPECIAL_TOKENS
from bertmini.data.vocabulary import alphabet
from bertmini.microworld import split_generator
from bertmini.microworld.compile import END

# Chapter 02 has the same lines, and compares.
CORNER = """
feature kind = paper | food | boxes | tools
feature number = one | many

document line 1 = 0.25 Past[kind] | 0.15 Habit[kind] | 0.15 Now[kind] | 0.15 They[kind] | 0.3 Can[kind number]

Past[kind]  = Name Verb[kind] ##ed the Noun[kind] yesterday .
Habit[kind] = Name Verb[kind] ##s the Noun[kind] every day .
Now[kind]   = Name is Verb[kind] ##ing the Noun[kind] now .
They[kind]  = they Verb[kind] the Noun[kind] ##s every day .

Can[kind one]  = the Noun[kind] was Able[kind] .
Can[kind many] = the Noun[kind] ##s were Able[kind] .
Able[kind]     = Verb[kind] ##able | un Joined[kind] ##able

Name        = zipf ada | bea | clara | bruno | hugo | otto | selma | viktor
Noun[paper] = zipf letter | poster | banner
Noun[food]  = zipf carrot | turnip | walnut
Noun[boxes] = zipf parcel | barrel | basket
Noun[tools] = zipf hammer | ladder | kettle
Verb[paper] = zipf read | print | fold | paint
Verb[food]  = zipf cook | pick | roast | plant
Verb[boxes] = zipf open | load | pack | lift
Verb[tools] = zipf mend | clean | lend | test
Joined[paper] = zipf ##read | ##print | ##fold | ##paint
Joined[food]  = zipf ##cook | ##pick | ##roast | ##plant
Joined[boxes] = zipf ##open | ##load | ##pack | ##lift
Joined[tools] = zipf ##mend | ##clean | ##lend | ##test
"""
NEW = frozenset({"folded", "picked", "loaded", "cleaned"})  # never in training

Score = Callable[[int, int, int], float]
SIZES: dict[str, dict[str, int]] = {
    "nano": {},
    "half": {"hidden_size": 32, "intermediate_size": 128, "num_attention_heads": 2},
}
STEPS, LEARNING_RATE, BATCH = 400, 3e-3, 32
TEXTS, ASKED, SEEDS = 12_000, 500, 5
FORGET = 0.02  # of a vocabulary of words: how often a word is read as [UNK] in training, so that [UNK] is no stranger


def all_lines(world: World) -> dict[str, float]:
    """Every line that the world can say, with its probability."""
    found: Counter[str] = Counter()

    def walk(state: int, said: str, probability: float) -> None:
        if state == END:
            found[said] += probability
            return
        for piece, p in world.graph.states[state].emission:
            joined = said + piece[2:] if piece.startswith("##") else f"{said} {piece}".strip()
            for after, q in world.graph.states[state].successors:
                walk(after, joined, probability * p * q)

    for document in world.derivations("line"):
        for state, probability in world.graph.text(document.texts[0]):
            walk(state, "", document.probability * probability)
    return dict(found)


def merge(words: Counter[str], merges: int, score: Score) -> list[str]:
    """The alphabet and `merges` further pieces: again and again the pair of neighbours with the highest score."""
    spelled = {word: [word[0], *("##" + char for char in word[1:])] for word in words}
    ids = {piece: number for number, piece in enumerate(alphabet(words))}
    while len(ids) < merges + len(alphabet(words)):
        one: Counter[str] = Counter()
        two: Counter[tuple[str, str]] = Counter()
        for word, pieces in spelled.items():
            for piece in pieces:
                one[piece] += words[word]
            for pair in itertools.pairwise(pieces):
                two[pair] += words[word]
        if not two:
            break
        best = max(two, key=lambda p: (score(two[p], one[p[0]], one[p[1]]), -ids[p[0]], -ids[p[1]]))
        new = best[0] + best[1][2:]
        ids.setdefault(new, len(ids))
        for pieces in spelled.values():
            for place in range(len(pieces) - 1, 0, -1):
                if tuple(pieces[place - 1 : place + 1]) == best:
                    pieces[place - 1 : place + 1] = [new]
    return list(ids)


def make_vocabularies(words: Counter[str]) -> dict[str, list[str]]:
    """The vocabularies to compare, without the special tokens."""

    def by_count(both: int, _first: int, _second: int) -> float:
        return both

    def by_score(both: int, first: int, second: int) -> float:
        return both / (first * second)

    found = {"characters": alphabet(words)}
    found |= {f"count, {merges} merges": merge(words, merges, by_count) for merges in (100, 200)}
    found["score, 100 merges"] = merge(words, 100, by_score)
    return found | {"whole words": sorted(words)}


class Rows(NamedTuple):
    """Lines in one vocabulary: padded ids (N, S), and the number of each token's word (N, S), -1 at the edges."""

    ids: Tensor
    words: Tensor


def lay_out(texts: Sequence[str], tokenizer: WordPieceTokenizer) -> Rows:
    """Encode lines and say which word each token belongs to."""
    encoded = tokenizer.encode_batch(texts)
    width = max(len(e.ids) for e in encoded)
    ids, words = torch.zeros(len(texts), width, dtype=torch.long), torch.full((len(texts), width), -1)
    for row, e in enumerate(encoded):
        ids[row, : len(e.ids)] = torch.tensor(e.ids)
        words[row, : len(e.ids)] = torch.tensor([-1 if word is None else word for word in e.word_ids])
    return Rows(ids, words)


def as_batch(ids: Tensor, hidden: Tensor, scored: Tensor, mask_id: int) -> dict[str, Tensor]:
    """What the model is called with."""
    return {
        "input_ids": ids.masked_fill(hidden, mask_id),
        "attention_mask": (ids != 0).long(),
        "labels": ids.masked_fill(~scored, IGNORED),
    }


class Lines:
    """An endless stream: one word of each line hidden, from a random piece onwards."""

    def __init__(self, rows: Rows, tokenizer: WordPieceTokenizer, seed: int, *, forget: float) -> None:
        """Read `rows` in random order."""
        self.rows, self.tokenizer, self.forget = rows, tokenizer, forget
        self.generator = torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """It is its own iterator."""
        return self

    def __next__(self) -> dict[str, Tensor]:
        """Draw the next batch."""
        chosen = torch.randint(len(self.rows.ids), (BATCH,), generator=self.generator)
        ids, words = self.rows.ids[chosen], self.rows.words[chosen]
        counts = words.amax(1)  # the last word is the full stop, which is never asked for
        word = (torch.rand(BATCH, generator=self.generator) * counts).long()[:, None]
        inside = words == word
        number = inside.cumsum(1)
        cut = (torch.rand(BATCH, generator=self.generator) * inside.sum(1)).long()[:, None]
        hidden = inside & (number > cut)
        forgotten = (torch.rand(ids.shape, generator=self.generator) < self.forget) & (words >= 0) & ~hidden
        seen = ids.masked_fill(forgotten, self.tokenizer.unk_id)
        batch = as_batch(seen, hidden, hidden, self.tokenizer.mask_id)
        return batch | {"labels": ids.masked_fill(~hidden, IGNORED)}


class Quiz(NamedTuple):
    """Hidden words: the line, which of its words, and what else could stand there, with probabilities."""

    texts: list[str]
    places: list[int]
    fillers: list[dict[str, float]]


def make_quiz(language: dict[str, float], texts: Sequence[str], places: Sequence[int]) -> Quiz:
    """The exact distribution of each hidden word, from the list of all lines."""
    around: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for line, probability in language.items():
        words = line.split()
        for place, word in enumerate(words[:-1]):
            around[(*words[:place], "", *words[place + 1 :])][word] = probability
    fillers = []
    for text, place in zip(texts, places, strict=True):
        words = text.split()
        found = around[(*words[:place], "", *words[place + 1 :])]
        fillers.append({word: p / sum(found.values()) for word, p in found.items()})
    return Quiz(list(texts), list(places), fillers)


def letters(quiz: Quiz) -> int:
    """How many letters the hidden words have."""
    return sum(len(text.split()[place]) for text, place in zip(quiz.texts, quiz.places, strict=True))


def price_of_blanks(quiz: Quiz, tokenizer: WordPieceTokenizer) -> float:
    """What the number of blanks tells of the hidden words, exactly: bits for each of their letters."""
    pieces = {word: len(tokenizer.tokenize(word)) for fillers in quiz.fillers for word in fillers}
    bits = 0.0
    for text, place, fillers in zip(*quiz, strict=True):
        count = pieces[text.split()[place]]
        bits -= math.log2(sum(p for word, p in fillers.items() if pieces[word] == count))
    return bits / letters(quiz)


def floor_in_bits(quiz: Quiz) -> float:
    """The least possible cost for each letter of the hidden words, whatever the pieces are."""
    bits = sum(-math.log2(f[text.split()[place]]) for text, place, f in zip(*quiz, strict=True))
    return bits / letters(quiz)


@torch.no_grad()
def cost_in_bits(model: BertForMaskedLM, quiz: Quiz, tokenizer: WordPieceTokenizer) -> float:
    """The model's cost for each letter of the hidden words, the number of blanks included."""
    rows = lay_out(quiz.texts, tokenizer)
    inside = rows.words == torch.tensor(quiz.places)[:, None]
    number, bits = inside.cumsum(1), 0.0
    for step in range(1, int(inside.sum(1).max()) + 1):
        some = inside.sum(1) >= step
        here = inside[some]
        hidden, scored = here & (number[some] >= step), here & (number[some] == step)
        batch = as_batch(rows.ids[some], hidden, scored, tokenizer.mask_id)
        bits += float(model(**batch).loss) * int(some.sum()) / math.log(2)
    return bits / letters(quiz) + price_of_blanks(quiz, tokenizer)


def draw_texts(world: World, count: int, generator: torch.Generator, *, new: bool) -> list[str]:
    """Lines with none of the new words, or with one of them."""
    drawn = (d.text[:-1] + " ." for d in world.sample(count, generator=generator, kind="line"))
    return [text for text in drawn if NEW.isdisjoint(text.split()) != new]


class Material(NamedTuple):
    """What all runs share."""

    training: list[str]
    quiz: Quiz
    new_quiz: Quiz
    vocabularies: dict[str, list[str]]


def prepare() -> Material:
    """Draw the texts, ask the questions, learn the vocabularies."""
    world = World(CORNER)
    language = all_lines(world)
    known = {line: p for line, p in language.items() if NEW.isdisjoint(line.split())}
    training = draw_texts(world, TEXTS, split_generator("train"), new=False)
    held_out = draw_texts(world, ASKED, split_generator("test"), new=False)
    rng = random.Random(0)
    quiz = make_quiz(known, held_out, [rng.randrange(len(text.split()) - 1) for text in held_out])
    fresh = draw_texts(world, 20 * ASKED, split_generator("test", 1), new=True)[:ASKED]
    new_quiz = make_quiz(language, fresh, [text.split().index("the") + 1 for text in fresh])
    words = Counter(word for text in training for word in text.split())
    return Material(training, quiz, new_quiz, make_vocabularies(words))


def run(material: Material, name: str, size: str, seed: int) -> tuple[float, float]:
    """Train one model and ask it: its costs at known and at new words."""
    tokenizer = WordPieceTokenizer.from_vocab([*SPECIAL_TOKENS, *material.vocabularies[name]])
    torch.manual_seed(seed)
    config = replace(PRESETS["nano"], vocab_size=len(tokenizer), hidden_dropout_prob=0.0)
    model = BertForMaskedLM(replace(config, attention_probs_dropout_prob=0.0, **SIZES[size]))
    forget = FORGET if name == "whole words" else 0.0
    stream = Lines(lay_out(material.training, tokenizer), tokenizer, seed, forget=forget)
    train(model, stream, Recipe(steps=STEPS, learning_rate=LEARNING_RATE), device="cpu", progress=False)
    return cost_in_bits(model, material.quiz, tokenizer), cost_in_bits(model, material.new_quiz, tokenizer)


def lay_out_table(material: Material, results: dict[tuple[str, str], list[tuple[float, float]]]) -> str:
    """Say what was done, and make the table: a line for each size and vocabulary."""
    rows = []
    for (size, name), costs in results.items():
        tokenizer = WordPieceTokenizer.from_vocab([*SPECIAL_TOKENS, *material.vocabularies[name]])
        length = sum(len(tokenizer.tokenize(text)) for text in material.training)
        config = replace(PRESETS["nano"], vocab_size=len(tokenizer), **SIZES[size])
        parameters = sum(parameter.numel() for parameter in BertForMaskedLM(config).parameters())
        row = [size, name, str(len(tokenizer)), f"{length / len(material.training):.1f}", f"{parameters:,}"]
        for number, quiz in enumerate((material.quiz, material.new_quiz)):
            row += [f"{abs(price_of_blanks(quiz, tokenizer)):.3f}", " ".join(f"{cost[number]:.3f}" for cost in costs)]
        rows.append(row)
    heading = ["size", "vocabulary", "pieces", "per line", "parameters"]
    notes = (
        f"{STEPS} steps of {BATCH} lines, learning rate {LEARNING_RATE}, seeds 0 to {SEEDS - 1}; nano preset, and half "
        f"of its width. Costs in bits for each letter: of a hidden word in {len(material.quiz.texts)} held-out lines, "
        f"and of the noun in {len(material.new_quiz.texts)} lines that hold a word new to it. Least possible: "
        f"{floor_in_bits(material.quiz):.3f}, new {floor_in_bits(material.new_quiz):.3f}. Blanks: the part of a cost "
        "that pays for their number."
    )
    lines = table([*heading, "blanks", "by seed", "new: blanks", "new: by seed"], rows)
    return "\n\n".join(["# What a vocabulary costs", circumstances(torch.device("cpu")), notes, lines])


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    material = prepare()
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for size in SIZES:
        for name in material.vocabularies:
            for seed in range(SEEDS):
                results.setdefault((size, name), []).append(run(material, name, size, seed))
                print(size, name, seed, results[size, name][-1], flush=True)
    report = lay_out_table(material, results)
    print("\n" + report)
    if asked.write:
        store(asked.write, report)


if __name__ == "__main__":
    main()
