"""What a model can do without, what a probe reads, and where four explanations agree: chapter 14's stored tables.

**Cuts.** Heads are cut by zeros, one after the other, as Michel, Levy and Neubig (2019, "Are sixteen heads really
better than one?", section 4) cut them: in the order of what each costs when it is cut alone; greedily, measured anew
after every cut; and by lot. The order is chosen on some texts and the share of right guesses measured on others.
Models: nano BERTs of the planted world (five seeds, 16 and 32 heads), and English on words of `english_cloze.txt` (one
checkpoint).

**Probes.** Word class, sense and depth, read by a linear probe off chapter 13's trained nano and off random weights,
beside nonsense (Hewitt and Liang 2019), and beside two players who see the word alone or its place alone.

**Agreement.** Four explanations of English's guess in each sentence of `english_cloze.txt`: how often two of them put
the same word first.

    python benchmarks/cuts_and_probes.py --write cuts_and_probes.md    # ten minutes
    python benchmarks/cuts_and_probes.py --only probes                 # cuts, probes or agreement; prints it
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from common import RESULTS, circumstances, publish, spread, table
from english import OWN, PROBE
from explanations import learn
from safetensors.torch import load_file
from torch import Tensor, nn
from youth import PLAIN

from bertmini import BertForMaskedLM, WordPieceTokenizer, World
from bertmini.data.pairs import Pair
from bertmini.data.pretraining import lay_out
from bertmini.inside import control_labels, explain_guess, linear_probe, without_heads
from bertmini.inside.ablation import output_projections
from bertmini.microworld import split_generator
from bertmini.microworld.planted import ASKED, planted_cause, planted_lines, planted_optimum, planted_world, undecided
from bertmini.microworld.relations import words_of
from bertmini.runs.pretrain import build_model
from bertmini.runs.settings import choose_settings

SEEDS, LINES, BLANKS, REPORTED, NOTICED = 5, 120, 250, 500, 0.02
Head = tuple[int, int]


# ------------------------------------------------------------------ cuts


class Asked(NamedTuple):
    """Texts (N, S) with a blank each, where it is (N,), and the right piece there (N,)."""

    inputs: dict[str, Tensor]
    places: Tensor
    right: Tensor

    def part(self, rows: slice) -> "Asked":
        """Some of the texts."""
        return Asked({name: each[rows] for name, each in self.inputs.items()}, self.places[rows], self.right[rows])


@torch.inference_mode()
def quality(model: nn.Module, asked: Asked, heads: Sequence[Head]) -> tuple[float, float]:
    """Without some heads: the mean log-probability of the right pieces, and the share that the model puts first."""
    rows = torch.arange(len(asked.right))
    with without_heads(model, heads):
        width = asked.inputs["input_ids"].shape[1]
        logits = model(**asked.inputs, places=rows * width + asked.places).logits
    found = logits.double().log_softmax(-1)
    return float(found[rows, asked.right].mean()), float((found.argmax(1) == asked.right).double().mean())


def all_heads(model: nn.Module) -> list[Head]:
    """Every head, as (layer, head)."""
    return [(layer, head) for layer, (_, heads) in enumerate(output_projections(model)) for head in range(heads)]


def one_by_one(model: nn.Module, asked: Asked) -> tuple[list[Head], list[float]]:
    """The heads in the order of what each costs alone, and the share that is right without each, in that order."""
    alone = {head: quality(model, asked, [head]) for head in all_heads(model)}
    order = sorted(alone, key=lambda head: -alone[head][0])
    return order, [alone[head][1] for head in order]


def greedily(model: nn.Module, asked: Asked) -> list[Head]:
    """The heads in the order in which the cheapest of those left is cut."""
    cut: list[Head] = []
    left = all_heads(model)
    while left:
        best = max(left, key=lambda head: quality(model, asked, [*cut, head])[0])
        cut.append(best)
        left.remove(best)
    return cut


def curve(model: nn.Module, asked: Asked, order: Sequence[Head]) -> list[float]:
    """The share that is right after none, one, two ... of the heads are cut."""
    return [quality(model, asked, order[:count])[1] for count in range(len(order) + 1)]


def free(shares: Sequence[float]) -> int:
    """How many heads can be cut before more than a fiftieth of the texts is lost."""
    return next((i for i, share in enumerate(shares) if share < shares[0] - NOTICED), len(shares)) - 1


def curves_of(model: nn.Module, chosen_on: Asked, tested_on: Asked, seed: int) -> dict[str, list[float]]:
    """The share right on other texts, by the number of heads cut, in three orders; also what each head costs alone."""
    order, _ = one_by_one(model, chosen_on)
    greedy = greedily(model, chosen_on)
    draw = torch.Generator().manual_seed(seed)
    by_lot = [[order[i] for i in torch.randperm(len(order), generator=draw)] for _ in range(3)]
    lots = [curve(model, tested_on, some) for some in by_lot]
    return {
        "greedily": curve(model, tested_on, greedy),
        "in the order of single cuts": curve(model, tested_on, order),
        "by lot": [sum(points) / len(lots) for points in zip(*lots, strict=True)],
        "alone": [quality(model, tested_on, [head])[1] for head in all_heads(model)],
        "order": [float(all_heads(model).index(head)) for head in greedy],
    }


def planted(split: str) -> Asked:
    """Lines of the planted world whose wishes differ; right is the best possible guess."""
    ids = undecided(planted_lines(planted_world(), 2 * LINES, generator=split_generator(split))[0])[:LINES]
    right = planted_optimum(planted_world())(ids).argmax(1)
    return Asked({"input_ids": ids}, torch.full((len(ids),), ASKED), right)


def lookers(model: BertForMaskedLM, asked: Asked, cut: set[int]) -> tuple[int, int]:
    """Heads of the last layer that give the deciding wish a half or more on average; how many of them are in `cut`."""
    ids = asked.inputs["input_ids"]
    with torch.no_grad():
        seen = model(ids, output_attentions=True).attentions
    cause = planted_cause(planted_world(), ids)[0]
    weights = seen[-1][torch.arange(len(ids)), :, ASKED, cause].mean(0)
    first = (len(seen) - 1) * weights.shape[0]
    looking = [first + head for head in range(len(weights)) if weights[head] >= 1 / 2]
    return len(looking), sum(head in cut for head in looking)


def cuts_of_planted(layers: int) -> list[str]:
    """The tables of the planted world's models."""
    chosen_on, tested_on = planted("validation"), planted("test")
    runs = []
    facts: dict[str, list[float]] = {}
    for seed in range(SEEDS):
        model = learn(planted_world(), layers, seed)
        found = curves_of(model, chosen_on, tested_on, seed)
        runs.append(found)
        count = free(found["greedily"])
        looking, idle = lookers(model, tested_on, set(map(int, found["order"][:count])))
        told = {
            "cut greedily before a fiftieth is lost": count,
            "cut in the order of single cuts": free(found["in the order of single cuts"]),
            "cut by lot": free(found["by lot"]),
            "right without the head that costs most alone": min(found["alone"]),
            "heads that cost a fiftieth or more alone": sum(s < found["greedily"][0] - NOTICED for s in found["alone"]),
            "last layer's heads that give the decider a half": looking,
            "of these, among those cut": idle,
        }
        for name, value in told.items():
            facts.setdefault(name, []).append(float(value))
        print(layers, seed, told, flush=True)
    size = f"the planted world, {layers} layer{'s' * (layers > 1)}, {len(runs[0]['alone'])} heads"
    return report_cuts(size, runs, facts)


def report_cuts(size: str, runs: list[dict[str, list[float]]], facts: dict[str, list[float]]) -> list[str]:
    """A table of facts and one of curves."""
    told = [[name, spread(values, ".2f" if "right" in name else ".0f")] for name, values in facts.items()]
    names = ("greedily", "in the order of single cuts", "by lot")
    rows = [
        [str(i), *(spread([run[name][i] for run in runs], ".2f") for name in names)]
        for i in range(len(runs[0]["greedily"]))
    ]
    return [
        f"## What can be cut: {size}",
        table(["", "median (range)"], told),
        f"## The share right by heads cut: {size}",
        table(["cut", *names], rows),
    ]


def english_blanks(every: slice) -> Asked:
    """Each word of some sentences of `english_cloze.txt` as a blank in turn."""
    tokenizer = WordPieceTokenizer.from_pretrained("english")
    found = [match for line in OWN.read_text(encoding="utf-8").splitlines() if (match := PROBE.match(line))]
    rows = [tokenizer.encode(each["text"].replace("[MASK]", each["word"])).ids for each in found][every]
    width = max(map(len, rows))
    pairs = [(row, place) for row in rows for place in range(1, len(row) - 1) if tokenizer.pieces[row[place]].isalpha()]
    ids = torch.tensor([row + [tokenizer.pad_id] * (width - len(row)) for row, _ in pairs])
    places = torch.tensor([place for _, place in pairs])
    right = ids[torch.arange(len(ids)), places].clone()
    mask = (ids != tokenizer.pad_id).long()
    ids[torch.arange(len(ids)), places] = tokenizer.mask_id
    return Asked({"input_ids": ids, "attention_mask": mask}, places, right)


def cuts_of_english() -> list[str]:
    """The tables of the English checkpoint."""
    model = BertForMaskedLM.from_pretrained("english").eval()
    chosen_on, tested_on = (
        english_blanks(slice(first, None, 2)).part(slice(0, count)) for first, count in ((0, BLANKS), (1, REPORTED))
    )
    found = curves_of(model, chosen_on, tested_on, 0)
    lost = [found["greedily"][0] - share for share in found["alone"]]
    facts = {
        "cut greedily before a fiftieth is lost": [free(found["greedily"])],
        "cut in the order of single cuts": [free(found["in the order of single cuts"])],
        "right without the head that costs most alone": [min(found["alone"])],
        "heads that cost a fiftieth or more alone": [sum(each > NOTICED for each in lost)],
    }
    print("english", facts, [int(i) for i in found["order"]], flush=True)
    return report_cuts(f"English, {len(lost)} heads, {len(tested_on.right)} blanks", [found], facts)


# ------------------------------------------------------------------ probes

CLASSES = {
    "noun": "Noun Item Object Public Pet river garden office day dawn noon sunday",
    "name": "First",
    "verb": "Saw work Did Be was",
    "adjective": "Common Rare Size State Mind long slow last",
    "adverb": "Marker Way so not",
    "function word": "the a Own pronoun it and at on in near Near another",
}
CLASS_OF = {rule: number for number, rules in enumerate(CLASSES.values()) for rule in rules.split()}
TOPICS = ("river", "garden", "office")
AMBIGUOUS = ("bank", "seal", "mole")
EACH = 30  # occurrences of a word, so that *the* does not make up the test


class Seen(NamedTuple):
    """A word in a pair: which pair, where in its row, the word, and what is to be read off its state."""

    pair: int
    place: int
    word: str
    label: int


def look_at(tokenizer: WordPieceTokenizer) -> tuple[dict[str, Tensor], dict[str, list[Seen]]]:
    """Pairs that no model here has learned from, and for each task the words that are asked about."""
    pairs = World.default().sample_pairs(4_000, generator=split_generator("test", 14))
    rows = [[Pair(*tokenizer.encode_ids([pair.first, pair.second]), 0)] for pair in pairs]
    batch = lay_out(rows, tokenizer)
    tasks: dict[str, list[Seen]] = {"class": [], "sense": [], "depth": []}
    for number, pair in enumerate(pairs):
        for sentence, pieces, labels in zip(words_of(pair), pair.pieces, pair.labels, strict=True):
            named = [topic for topic in TOPICS if topic in pieces]
            topics = {label.slot for label in labels if label.slot.startswith("Noun")}
            above = 0
            for word in sentence:
                above += word.rule == "Near"
                place = word.places[0]
                if word.rule in CLASS_OF:
                    tasks["class"].append(Seen(number, place, word.text, CLASS_OF[word.rule]))
                if word.rule == "Noun" and named and word.text.removesuffix("s") in AMBIGUOUS:
                    (slot,) = topics
                    sense = TOPICS.index(slot[5:-1].split()[0])
                    tasks["sense"].append(Seen(number, place, word.text.removesuffix("s"), sense))
                if word.rule == "Noun" and any(other.rule == "Be" for other in sentence):
                    tasks["depth"].append(Seen(number, place, word.text, above))
    tasks["class"] = evened(tasks["class"], lambda seen: seen.word, EACH)
    tasks["sense"] = evened(tasks["sense"], lambda seen: (seen.word, seen.label))
    tasks["depth"] = evened(tasks["depth"], lambda seen: seen.label)
    return batch, tasks


def evened(found: list[Seen], key: Callable[[Seen], object], most: int | None = None) -> list[Seen]:
    """As many of each kind as of the rarest, or `most` at most, in a random order."""
    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(0)).tolist()
    limit = most or min(Counter(map(key, found)).values())
    kept: Counter[object] = Counter()
    chosen = []
    for i in order:
        kept[key(found[i])] += 1
        if kept[key(found[i])] <= limit:
            chosen.append(found[i])
    return chosen


def by_key(keys: Sequence[object], labels: Tensor, known: Tensor) -> float:
    """Accuracy of a player who sees a key alone (the word, its place): its most frequent label among the known."""
    counts: dict[object, Counter[int]] = {}
    for key, label, met in zip(keys, labels.tolist(), known.tolist(), strict=True):
        if met:
            counts.setdefault(key, Counter())[label] += 1
    usual = Counter(labels[known].tolist()).most_common(1)[0][0]
    guesses = [counts[key].most_common(1)[0][0] if key in counts else usual for key in keys]
    return float((torch.tensor(guesses) == labels)[~known].double().mean())


def probes() -> list[str]:
    """The table of probes: five draws of labels, halves and random weights; one trained model."""
    tokenizer = WordPieceTokenizer.from_vocab(World.default().vocabulary())
    plain = {"steps": 2_000, "batch_size": 64, "learning_rate": 3e-3} | PLAIN
    settings = choose_settings(plain)
    batch, tasks = look_at(tokenizer)
    stored = load_file(RESULTS / "youth.safetensors")
    trained = build_model(settings, len(tokenizer), tokenizer.pad_id)
    trained.load_state_dict({name: stored[f"2000/{name}"].float() for name in trained.state_dict()})
    found: dict[str, list[list[float]]] = {}
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
    last = last_states(trained, inputs)
    for seed in range(SEEDS):
        untrained = build_model(choose_settings(plain | {"seed": seed}), len(tokenizer), tokenizer.pad_id)
        random_last = last_states(untrained, inputs)
        draw = torch.Generator().manual_seed(seed)
        for task, seen in tasks.items():
            words = sorted({each.word for each in seen})
            own = torch.tensor([words.index(each.word) for each in seen])
            true = torch.tensor([each.label for each in seen])
            met = torch.rand(len(seen), generator=draw) < 1 / 2
            new = (torch.rand(len(words), generator=draw) < 1 / 2)[own]
            drawn = control_labels(own.tolist(), true, generator=draw)
            rows = [(task, true, met)]
            if task == "class":
                rows = [(task, true, met), ("nonsense", drawn, met)]
                rows += [("class, new words", true, new), ("nonsense, new words", drawn, new)]
            for name, labels, known in rows:
                at = torch.tensor([each.pair for each in seen]), torch.tensor([each.place for each in seen])
                accuracies = [
                    linear_probe(states[at][known], labels[known], int(true.max()) + 1).accuracy(
                        states[at][~known].double(), labels[~known]
                    )
                    for states in (random_last, last)
                ]
                places = [each.place for each in seen]
                players = [by_key(keys, labels, known) for keys in ([0] * len(seen), own.tolist(), places)]
                found.setdefault(name, []).append([*players, *accuracies, float(len(seen))])
        print(seed, {name: [round(x, 2) for x in rows[-1]] for name, rows in found.items()}, flush=True)
    columns = ("most frequent", "the word alone", "its place alone", "untrained", "trained")
    lines = [
        [name, *(spread(column, ".2f") for column in list(zip(*rows, strict=True))[:-1]), f"{rows[0][-1]:.0f}"]
        for name, rows in found.items()
    ]
    return ["## What a probe reads off the last layer", table(["", *columns, "words"], lines)]


@torch.inference_mode()
def last_states(model: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
    """The states after the last layer, (N, S, E)."""
    parts = zip(*(each.split(500) for each in inputs.values()), strict=True)
    bert = model.eval().bert
    return torch.cat([bert(**dict(zip(inputs, part, strict=True)))[0] for part in parts]).clone()  # type: ignore[operator]


# ------------------------------------------------------------------ agreement


def agreement() -> list[str]:
    """How often two methods put the same word first, and how often a method puts no word first at all."""
    model = BertForMaskedLM.from_pretrained("english").eval()
    tokenizer = WordPieceTokenizer.from_pretrained("english")
    texts = [match["text"] for line in OWN.read_text(encoding="utf-8").splitlines() if (match := PROBE.match(line))]
    same: Counter[tuple[str, str]] = Counter()
    no_word: Counter[str] = Counter()
    all_four, chance = 0, 0.0
    for text in texts:
        found = explain_guess(model, tokenizer, text, steps=16)
        words = [i for i, token in enumerate(found.tokens) if token.isalpha()]
        first = {name: words[int(np.argmax(score[words]))] for name, score in found.scores.items()}
        no_word.update(name for name, score in found.scores.items() if int(score.argmax()) not in words)
        same.update(pair for pair in combinations(first, 2) if first[pair[0]] == first[pair[1]])
        all_four += len(set(first.values())) == 1
        chance += 1 / len(words)
        if len(set(first.values())) == 1:
            print(text, found.guess, f"{found.probability:.2f}", found.tokens[first["rollout"]], flush=True)
    rows = [[f"{one} and {other}", str(same[one, other])] for one, other in combinations(first, 2)]
    rows += [["all four", str(all_four)], ["two words drawn by lot", f"{chance:.0f}"]]
    rows += [[f"no word is first: {name}", str(no_word[name])] for name in first]
    return [f"## In how many of {len(texts)} sentences the same word is first", table(["methods", "sentences"], rows)]


PARTS = {
    "cuts": lambda: [*cuts_of_planted(1), *cuts_of_planted(2), *cuts_of_english()],
    "probes": probes,
    "agreement": agreement,
}
NOTES = (
    f"Planted world: {SEEDS} seeds, {LINES} lines to choose the order, {LINES} others to report, right is the best "
    f"possible guess. English: one checkpoint, {BLANKS} blanks to choose and at most {REPORTED} in other sentences to "
    f"report. By lot: the mean of three orders. Probes: chapter 13's nano after 2,000 steps (one model), {SEEDS} "
    "draws of random weights, halves and nonsense labels; first pieces of words of 4,000 pairs, as many of each kind "
    f"of sense and of depth as of the rarest, at most {EACH} of a word for its class. *New words*: no word of the test "
    "half is in the half that the probe learns from. Agreement: first among words, [CLS], [SEP], [MASK] and marks left "
    "out; 16 steps."
)


def main() -> None:
    """Print the tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    parser.add_argument("--only", choices=PARTS, help="one part, printed and not stored")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.only:
        print("\n\n".join(PARTS[asked.only]()))
        return
    report = ["# Cuts, probes, and where explanations agree", circumstances(torch.device("cpu")), NOTES]
    publish("\n\n".join([*report, *(text for part in PARTS.values() for text in part())]), asked.write)


if __name__ == "__main__":
    main()
