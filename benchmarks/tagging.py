"""Tagging, measured: which piece speaks for its word, what a gazetteer knows, what Viterbi adds, and real files.

Microworld: names that are a person, a place or a firm by context only. A nano from random weights (its pretraining text
has no such names), 300 steps of 32, five seeds; beside it the exact tagger, which on average has the most words
right, though not the highest F1.
English: 147 sentences of our own in which twelve names are each a person, a place and a firm (`english_names.conll`),
five draws of 40 to test on, 80 steps of 16; frozen: logistic regression on the states of first pieces.

Under *strict* an entity that begins with "I-" counts as no entity; otherwise as `seqeval` counts.

    python benchmarks/tagging.py --record /tmp/tagging.json --write tagging.md
"""

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from common import circumstances, publish, spread, table

from bertmini import (
    PRESETS,
    BertForTokenClassification,
    ExampleStream,
    Recipe,
    TaggedWords,
    WordPieceTokenizer,
    World,
    batches_in_order,
    read_conll,
    tagging_rows,
    train,
)
from bertmini.data.tagging import LABELLED, Labelled, illegal_tags, may_follow, tag_labels, viterbi
from bertmini.metrics import entity_scores
from bertmini.microworld import Floor, split_generator
from bertmini.runs.tag import best_tags, word_scores

SIZES, SEEDS, STEPS = (32, 128, 512), 5, 300
OWN = Path(__file__).parent / "english_names.conll"
Tags = Sequence[Sequence[str]]


# ---- without a model ----


def make_gazetteer(sentences: Sequence[TaggedWords]) -> dict[tuple[str, ...], str]:
    """Every name of the training sentences, lower-cased, and the kind that it most often has."""
    seen: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for words, tags in sentences:
        begin = 0
        for place in range(1, len(words) + 1):
            if place == len(words) or not tags[place].startswith("I-"):
                if tags[begin] != "O":
                    seen[tuple(word.lower() for word in words[begin:place])][tags[begin][2:]] += 1
                begin = place
    return {name: kinds.most_common(1)[0][0] for name, kinds in seen.items()}


def look_up(words: Sequence[str], names: dict[tuple[str, ...], str]) -> list[str]:
    """Tag a sentence by the longest names that stand in the gazetteer, from the left."""
    small, longest = tuple(word.lower() for word in words), max(map(len, names))
    tags, place = ["O"] * len(words), 0
    while place < len(words):
        for end in range(min(place + longest, len(words)), place, -1):
            if kind := names.get(small[place:end]):
                tags[place:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - place - 1)]
                place = end - 1
                break
        place += 1
    return tags


def right(said: Tags, truth: Tags) -> float:
    """The share of words whose tag is right."""
    pairs = [pair for one, other in zip(said, truth, strict=True) for pair in zip(one, other, strict=True)]
    return sum(a == b for a, b in pairs) / len(pairs)


def strictly(tags: Sequence[str]) -> list[str]:
    """The tags without the entities that begin with "I-"."""
    kept: list[str] = []
    for tag in tags:
        kept.append(tag if may_follow(tag, kept[-1] if kept else "O") else "O")
    return kept


def measures(scores: Sequence[torch.Tensor], labels: Sequence[str], truth: Tags) -> dict[str, float]:
    """What a tagger's scores are worth, with and without Viterbi."""
    said, legal = ([decode(each, labels) for each in scores] for decode in (best_tags, viterbi))
    strict = [strictly(tags) for tags in said]
    return {
        "words": right(said, truth),
        "f1": entity_scores(said, truth).f1,
        "illegal": sum(map(illegal_tags, said)),
        "viterbi": entity_scores(legal, truth).f1,
        "strict": entity_scores(strict, truth).f1,
    }


# ---- models ----


def judged(
    model: Any, tokenizer: WordPieceTokenizer, test: Sequence[TaggedWords], labelled: Labelled = "first"
) -> dict[str, float]:
    """Measure a model on a test."""
    labels = model.config.labels
    rows, places = tagging_rows(test, tokenizer, labels, max_length=64, labelled=labelled)
    scores = word_scores(model.eval(), batches_in_order(rows, pad_id=tokenizer.pad_id), places)
    return measures(scores, labels, [tags for _, tags in test])


def tuned(
    model: Any, tokenizer: WordPieceTokenizer, given: Sequence[TaggedWords], recipe: Recipe, batch: int, seed: int,
    labelled: Labelled = "first",
) -> Any:  # fmt: skip
    """Train a model on sentences."""
    rows, _ = tagging_rows(given, tokenizer, model.config.labels, max_length=64, labelled=labelled)
    stream = ExampleStream(rows, pad_id=tokenizer.pad_id, batch_size=batch, seed=seed)
    train(model, stream, recipe, device="cpu", progress=False)
    return model


# ---- the microworld ----


class Names:
    """The tagging task of the microworld: its sentences, its test, and the exact tagger's answers."""

    def __init__(self) -> None:
        """Draw the test."""
        self.world = World.default()
        self.tokenizer = WordPieceTokenizer.from_vocab(self.world.vocabulary())
        self.test = self.draw(2_000, "test")
        self.labels = tag_labels(self.test)
        self.truth = [tags for _, tags in self.test]

    def draw(self, count: int, split: Any, seed: int = 0) -> list[TaggedWords]:
        """Draw sentences."""
        documents = self.world.sample(count, generator=split_generator(split, seed), kind="tagging")
        return [TaggedWords(*map(tuple, document.words())) for document in documents]

    def exact(self) -> dict[str, float]:
        """Measure the most probable tag of every word."""
        rows, places = tagging_rows(self.test, self.tokenizer, self.labels, max_length=64)
        scores: list[torch.Tensor] = []
        for batch in batches_in_order(rows, pad_id=self.tokenizer.pad_id):
            batch.pop("labels")
            floor = Floor.task(self.world, "tagging").tokens(batch)
            order = [floor.values.index(label) for label in self.labels]
            spread_out = torch.zeros(batch["input_ids"].numel(), len(order), dtype=torch.float64)
            spread_out[floor.positions] = floor.probabilities[:, order]
            spread_out = spread_out.log()
            for row in spread_out.view(*batch["input_ids"].shape, -1):
                scores.append(row[cast(list[int], places[len(scores)])])
        return measures(scores, self.labels, self.truth)

    def nano(self, seed: int) -> BertForTokenClassification:
        """A nano of random weights."""
        torch.manual_seed(seed)
        sizes = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        return BertForTokenClassification(
            replace(PRESETS["nano"], vocab_size=len(self.tokenizer), labels=self.labels, **sizes)  # type: ignore[arg-type]
        )


def microworld(recorded: Callable[[str, Callable[[], Any]], Any]) -> str:
    """Report on the microworld."""
    names = Names()
    recipe = Recipe(steps=STEPS, learning_rate=2e-3)

    def one(size: int, labelled: Labelled, seed: int) -> dict[str, float]:
        given = names.draw(size, "train", seed)
        return judged(tuned(names.nano(seed), names.tokenizer, given, recipe, 32, seed, labelled), names.tokenizer,
                      names.test, labelled)  # fmt: skip

    rows: list[list[str]] = []
    each: list[list[str]] = []
    for size in SIZES:
        books = [make_gazetteer(names.draw(size, "train", seed)) for seed in range(SEEDS)]
        said = [[look_up(words, book) for words, _ in names.test] for book in books]
        scores = [{"words": right(tags, names.truth), "f1": entity_scores(tags, names.truth).f1} for tags in said]
        rows.append([f"{size} gazetteer", *columns(scores)])
        for labelled in LABELLED:
            runs = [
                recorded(f"microworld {size} {labelled} {seed}", lambda a=(size, labelled, seed): one(*a))
                for seed in range(SEEDS)
            ]
            rows.append([f"{size} {labelled}", *columns(runs)])
            each.append([f"{size} {labelled}", *(" ".join(f"{run[name]:.3f}" for run in runs) for name in PAIRED)])
    exact, outside = names.exact(), [["O"] * len(tags) for tags in names.truth]
    fresh = [judged(names.nano(seed), names.tokenizer, names.test) for seed in range(SEEDS)]
    flat = {"words": right(outside, names.truth), "f1": 0.0}
    rows += [["always O", *columns([flat])], ["untrained", *columns(fresh)], ["exact tagger", *columns([exact])]]
    seeds = f"## Microworld, seed by seed\n\n{table(('sentences, piece', 'entity F1', 'F1 with Viterbi'), each)}"
    return f"## Microworld\n\n{len(names.test):,} sentences to test on.\n\n{table(HEADING, rows)}\n\n{seeds}"


PAIRED = ("f1", "viterbi")
HEADING = ("sentences, piece", "words right", "entity F1", "illegal tags", "F1 with Viterbi", "F1, strict")


def columns(runs: Sequence[dict[str, float]]) -> list[str]:
    """The cells of a row: median and range, or nothing where nothing was measured."""
    forms = {"words": ".3f", "f1": ".3f", "illegal": ".0f", "viterbi": ".3f", "strict": ".3f"}
    return [spread([run[name] for run in runs], form) if name in runs[0] else "" for name, form in forms.items()]


# ---- English ----


def english_names(recorded: Callable[[str, Callable[[], Any]], Any]) -> str:
    """Report on our own sentences."""
    tokenizer, data = WordPieceTokenizer.from_pretrained("english"), read_conll(OWN)
    labels = tag_labels(data)

    def one(labelled: Labelled, seed: int, scratch: bool) -> dict[str, float]:
        given, test = split_names(data, seed)
        torch.manual_seed(seed)
        model = BertForTokenClassification.from_pretrained("english", new_head=True, labels=labels)
        if scratch:
            model.initialize()
        recipe = Recipe(steps=80, learning_rate=1e-3)
        return judged(tuned(model, tokenizer, given, recipe, 16, seed, labelled), tokenizer, test, labelled)

    def frozen(layers: slice, seed: int) -> dict[str, float]:
        given, test = split_names(data, seed)
        bert = BertForTokenClassification.from_pretrained("english", new_head=True, labels=labels).bert.eval()
        parts = [features(bert, tokenizer, part, labels, layers) for part in (given, test)]
        mean, scale = parts[0][0].mean(0), parts[0][0].std(0) + 1e-6
        known, asked = ((states - mean) / scale for states, _ in parts)
        scores = fit_linear(known, parts[0][1], len(labels))(asked).log_softmax(1)
        truth = [tags for _, tags in test]
        return measures(scores.split([len(tags) for tags in truth]), labels, truth)

    halves = [split_names(data, seed) for seed in range(SEEDS)]
    truth = [[tags for _, tags in test] for _, test in halves]
    said = [[look_up(words, make_gazetteer(given)) for words, _ in test] for given, test in halves]
    looked = [{"words": right(a, b), "f1": entity_scores(a, b).f1} for a, b in zip(said, truth, strict=True)]
    flat = [{"words": right([["O"] * len(tags) for tags in each], each), "f1": 0.0} for each in truth]
    rows = [["always O", *columns(flat)], ["gazetteer", *columns(looked)]]
    for name, labelled, scratch in (("from scratch, first", "first", True), *((x, x, False) for x in LABELLED)):
        runs = [
            recorded(f"english {name} {seed}", lambda a=(labelled, seed, scratch): one(*a)) for seed in range(SEEDS)
        ]
        rows.append([name, *columns(runs)])
    layers = {"embeddings": slice(0, 1), "last hidden": slice(-1, None), "concat of four": slice(1, None)}
    for name, which in layers.items():
        rows.append([f"frozen, {name}", *columns([frozen(which, seed) for seed in range(SEEDS)])])
    return f"## English names\n\n{len(data)} sentences, 40 of them to test on.\n\n{table(HEADING, rows)}"


@torch.no_grad()
def features(
    bert: Any, tokenizer: WordPieceTokenizer, sentences: Sequence[TaggedWords], labels: Sequence[str], layers: slice
) -> tuple[torch.Tensor, torch.Tensor]:
    """The states of some layers at every word's first piece, side by side (N, E), and the numbers of the tags."""
    rows, places = tagging_rows(sentences, tokenizer, labels, max_length=64)
    states, numbers = [], []
    for row, here in zip(rows, places, strict=True):
        hidden = bert(torch.tensor([row["input_ids"]]), output_hidden_states=True).hidden_states
        states.append(torch.cat(hidden[layers], -1)[0, here])
        numbers += [cast(list[int], row["labels"])[cast(int, place)] for place in here]
    return torch.cat(states), torch.tensor(numbers)


def fit_linear(x: torch.Tensor, y: torch.Tensor, classes: int, penalty: float = 0.01) -> Any:
    """Logistic regression on the rows of x (N, E)."""
    head = torch.nn.Linear(x.shape[1], classes)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Any:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(head(x), y) + penalty / 2 * head.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return lambda rows: head(rows).detach()


def split_names(data: Sequence[TaggedWords], seed: int) -> tuple[list[TaggedWords], list[TaggedWords]]:
    """Draw 40 sentences to test on; the others are to train on."""
    order = random.Random(seed).sample(data, len(data))
    return order[40:], order[:40]


def entity_texts(sentence: TaggedWords) -> list[tuple[str, ...]]:
    """The names of a sentence, lower-cased."""
    return list(make_gazetteer([sentence]))


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="*", default=["microworld", "english"], choices=["microworld", "english"])
    parser.add_argument("--record", type=Path, help="a file of runs that are done, or will be")
    parser.add_argument("--write", metavar="NAME", help="store the report under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)

    def recorded(name: str, run: Callable[[], Any]) -> Any:
        done = json.loads(asked.record.read_text()) if asked.record and asked.record.exists() else {}
        if name not in done:
            done[name] = run()
            print(name, done[name], flush=True)
            if asked.record:
                asked.record.write_text(json.dumps(done))
        return done[name]

    parts = [{"microworld": microworld, "english": english_names}[part](recorded) for part in asked.parts]
    heading = f"# Tagging\n\n{circumstances(torch.device('cpu'))}. Median and range of five seeds."
    text = "\n\n".join([heading, *parts])
    publish(text, asked.write)


if __name__ == "__main__":
    main()
