"""One ladder of matchers, quality and cost, for chapter 11; and what careless wrong answers teach.

One nano BERT learned to fill blanks in texts that tell one event twice (`matching.safetensors`, float16). From there
every arm gets as many steps, with five seeds of data, order and head; two arms also start from random weights.
**Likeness**: Spearman's correlation with the share of parts in common, for 1,000 pairs of held-out events. **Search**:
an index of 500 sentences has 250 held-out events and the same with the two people exchanged; 200 queries tell one of
them in other words. **Cost**: how often an encoder runs for one query, and the seconds of one core.

**Longer**: one cross-encoder gets five times as many steps; it is stored (`matching_cross.safetensors`). **Slower**:
the same at another learning rate, into a table of its own. **Control**: as many wrong answers as with exchanged roles,
each of any event; five seeds, a table of its own.

**Entailment**: says the second sentence the same as the first? The wrong ones have another deed, drawn evenly or
carelessly; a classifier reads both sentences.

    python benchmarks/matching.py --rows runs/matching --seeds 0 1 2 3 4
    python benchmarks/matching.py --rows runs/matching --longer 0
    python benchmarks/matching.py --rows runs/matching --write matching.md
    python benchmarks/matching.py --rows runs/matching --slower 0.001 --write-slower matching_rate.md
    python benchmarks/matching.py --rows runs/matching --control 0 1 2 3 4 --write-control matching_control.md
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from common import RESULTS, circumstances, spread, store, table
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bertmini import PRESETS, BertForMaskedLM, BertForSequenceClassification, Masking, Recipe, WordPieceTokenizer, train
from bertmini.data.batches import ExampleStream, batches_in_order
from bertmini.data.matching import Match, MatchStream, match_rows
from bertmini.metrics import spearman
from bertmini.microworld.events import (
    Event,
    entailment_pairs,
    graded_pairs,
    same_given_second,
    split_events,
    tell,
    vocabulary,
)
from bertmini.model.sentences import BertForSentences
from bertmini.runs.match import embed
from bertmini.search import BM25, recall_at

PRETRAINING, STEPS, BATCH, RATE, TEXTS, TOLD = 600, 200, 32, 5e-3, 6_400, 12_000
LONGER = 5
KNOWN, ASKED = split_events()
TOKENIZER = WordPieceTokenizer.from_vocab(vocabulary())
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
Scorer = Callable[[Sequence[str], Sequence[str]], Tensor]  # texts (Q), candidates (N): likeness (Q, N)


def config(**more: object):
    """A nano without dropout, perhaps changed."""
    return replace(PRESETS["nano"], vocab_size=len(TOKENIZER), **NO_DROPOUT | more)


def pairs_of_rows(pairs: Sequence[tuple[str, str]], labels: Sequence[int] | None = None) -> list[dict]:
    """Two sentences in one row."""
    rows = []
    for number, (one, other) in enumerate(pairs):
        encoding = TOKENIZER.encode(one, other)
        row = {"input_ids": encoding.ids, "token_type_ids": encoding.type_ids}
        rows.append(row if labels is None else {**row, "labels": labels[number]})
    return rows


class TwiceTold:
    """An endless stream of masked texts, each telling one event twice."""

    def __init__(self, seed: int) -> None:
        """Tell the events that may be learned from."""
        draw = random.Random(seed)
        events = [draw.choice(KNOWN) for _ in range(TOLD)]
        self.texts = [f"{tell(event, draw)} {tell(event, draw)}" for event in events]
        rows = [{"input_ids": encoding.ids} for encoding in TOKENIZER.encode_batch(self.texts, max_length=64)]
        self.stream = ExampleStream(rows, pad_id=TOKENIZER.pad_id, batch_size=2 * BATCH, seed=seed)
        self.mask, self.generator = Masking(TOKENIZER.pieces), torch.Generator().manual_seed(seed)

    def __next__(self) -> dict[str, Tensor]:
        """Mask the next batch."""
        batch = next(self.stream)
        masked = self.mask(batch["input_ids"], generator=self.generator)
        return batch | {"input_ids": masked.input_ids, "labels": masked.labels}


def fit(model: nn.Module, stream: object) -> nn.Module:
    """Train, with what all arms have in common."""
    recipe = Recipe(steps=STEPS, learning_rate=RATE, optimizer="muon")
    train(model, stream, recipe, device="cpu", progress=False)  # type: ignore[arg-type]
    return model


def pretrained() -> dict[str, Tensor]:
    """The weights of an encoder that has learned to fill blanks: stored, in float16, or trained now."""
    stored = RESULTS / "matching.safetensors"
    if not stored.exists():
        torch.manual_seed(0)
        model = BertForMaskedLM(config())
        recipe = Recipe(steps=PRETRAINING, learning_rate=RATE, optimizer="muon")
        train(model, TwiceTold(0), recipe, device="cpu", progress=False)
        save_file({name: weight.half() for name, weight in model.bert.state_dict().items()}, stored)
    return {name: weight.float() for name, weight in load_file(stored).items()}


def start(kind: type, weights: dict[str, Tensor] | None, seed: int, **more: object) -> nn.Module:
    """A model of a kind on pretrained weights, or on nothing."""
    torch.manual_seed(seed)
    model = kind(config(**more))
    if weights is not None:
        model.bert.load_state_dict(weights, strict=False)
    return model


# ---- the arms ----


def matches_of(kind: str, seed: int) -> list[Match]:
    """What an arm learns from."""
    draw = random.Random(seed)
    if kind == "graded":
        return [Match(p.one, p.other, score=p.common / 4) for p in graded_pairs(KNOWN, TEXTS, draw)]
    events = [draw.choice(KNOWN) for _ in range(TEXTS)]
    if kind == "itself":
        return [Match(text, text) for text in (tell(event, draw) for event in events)]
    wrong = {
        "turned": lambda event: tell(event.turned(), draw),
        "random": lambda _event: tell(draw.choice(KNOWN), draw),
    }.get(kind, lambda _event: None)
    return [Match(tell(event, draw), tell(event, draw), wrong(event)) for event in events]


def bi_encoder(kind: str, weights: dict[str, Tensor] | None, seed: int, *, dropout: float = 0.0) -> nn.Module:
    """Teach one on matches of a kind."""
    model = start(BertForSentences, weights, seed, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    rows = match_rows(matches_of(kind, seed + 1), TOKENIZER, max_length=64)
    return fit(model, MatchStream(rows, pad_id=TOKENIZER.pad_id, batch_size=BATCH, seed=seed))


def cross_encoder(weights: dict[str, Tensor], seed: int) -> nn.Module:
    """Teach one the number of parts in common, as five classes, on the pairs of the cosine loss."""
    model = start(BertForSequenceClassification, weights, seed, labels=tuple("01234"))
    pairs = graded_pairs(KNOWN, TEXTS, random.Random(seed + 1))
    rows = pairs_of_rows([(p.one, p.other) for p in pairs], [p.common for p in pairs])
    return fit(model, ExampleStream(rows, pad_id=TOKENIZER.pad_id, batch_size=BATCH, seed=seed))


def cosines(encode: Callable[[Sequence[str]], Tensor], *, centred: bool = False) -> Scorer:
    """Compare by vectors; `centred` takes off the mean of the candidates first."""

    def score(texts: Sequence[str], candidates: Sequence[str]) -> Tensor:
        one, other = encode(texts), encode(candidates)
        mean = other.mean(0) if centred else torch.zeros(1)
        return nn.functional.normalize(one - mean, dim=1) @ nn.functional.normalize(other - mean, dim=1).T

    return score


@torch.inference_mode()
def first_states(model: nn.Module, texts: Sequence[str]) -> Tensor:
    """The states of [CLS]."""
    rows = [{"input_ids": encoding.ids} for encoding in TOKENIZER.encode_batch(texts, max_length=64)]
    batches = batches_in_order(rows, pad_id=TOKENIZER.pad_id)
    states = [model.bert(b["input_ids"], None, b["attention_mask"]).last_hidden_state[:, 0] for b in batches]
    return torch.cat(states)


def counted(texts: Sequence[str], width: int = 32) -> Callable[[Sequence[str]], Tensor]:
    """Static vectors: how much oftener than by chance two words share a text, in few dimensions; then their mean."""
    has = torch.zeros(len(texts), len(TOKENIZER))
    for number, text in enumerate(texts):
        has[number, TOKENIZER.encode(text).ids[1:-1]] = 1
    both = has.T @ has
    chance = both.diagonal()[:, None] * both.diagonal()[None] / len(texts)
    vectors, sizes, _ = torch.linalg.svd((both / chance.clamp(min=1e-9)).clamp(min=1e-9).log().clamp(min=0))
    words = vectors[:, :width] * sizes[:width].sqrt()
    return lambda texts: torch.stack([words[TOKENIZER.encode(text).ids[1:-1]].mean(0) for text in texts])


def common_words(texts: Sequence[str], candidates: Sequence[str]) -> Tensor:
    """BM25."""
    index = BM25(candidates)
    return torch.tensor([index.scores(text) for text in texts])


@torch.inference_mode()
def read_together(model: nn.Module, pairs: Sequence[tuple[str, str]]) -> Tensor:
    """The number of parts in common that a cross-encoder expects."""
    batches = batches_in_order(pairs_of_rows(pairs), pad_id=TOKENIZER.pad_id, batch_size=256)
    return torch.cat([model(**batch).logits.softmax(1) @ torch.arange(5.0) for batch in batches])


# ---- questions ----


class Exam:
    """Held-out pairs with their gold likeness, and an index with queries."""

    def __init__(self, seed: int, *, couples: int = 250, queries: int = 200) -> None:
        """Draw them."""
        draw = random.Random(1_000 + seed)
        self.pairs = graded_pairs(ASKED, 1_000, draw)
        self.gold = torch.tensor([float(pair.common) for pair in self.pairs])
        chosen = draw.sample([event for event in ASKED if event.who < event.whom], couples)
        self.events: list[Event] = [each for event in chosen for each in (event, event.turned())]
        self.sentences = [tell(event, draw) for event in self.events]
        self.relevant = draw.sample(range(len(self.events)), queries)
        self.queries = [tell(self.events[number], draw) for number in self.relevant]

    def likeness(self, scorer: Scorer) -> float:
        """Spearman's correlation for the pairs."""
        return spearman(scorer([p.one for p in self.pairs], [p.other for p in self.pairs]).diagonal(), self.gold)

    def ranked(self, scorer: Scorer) -> tuple[list[list[int]], float]:
        """The order of the index for each query, and the seconds for one."""
        begin = time.process_time()
        order = scorer(self.queries, self.sentences).argsort(dim=1, descending=True, stable=True).tolist()
        return order, (time.process_time() - begin) / len(self.queries)

    def judge(self, scorer: Scorer) -> dict[str, float]:
        """All figures of a scorer that compares vectors or words."""
        order, seconds = self.ranked(scorer)
        recalls = {f"recall@{k}": recall_at(order, self.relevant, k) for k in (1, 2, 10)}
        return {"likeness": self.likeness(scorer), **recalls, "seconds": seconds}

    def without_order(self) -> float:
        """The best possible likeness for those who do not know who acted."""
        return spearman(torch.tensor([pair.without_order for pair in self.pairs]), self.gold)

    def together(self, model: nn.Module, finder: Scorer | None, *, asked: int, best: int = 10) -> dict[str, float]:
        """A cross-encoder on the whole index, or on the ten best of another."""
        order = self.ranked(finder)[0] if finder else [list(range(len(self.sentences)))] * len(self.queries)
        depth, found = best if finder else len(self.sentences), []
        begin = time.process_time()
        for query, numbers in list(zip(self.queries, order, strict=True))[:asked]:
            scores = read_together(model, [(query, self.sentences[number]) for number in numbers[:depth]])
            found.append([numbers[i] for i in scores.argsort(dim=0, descending=True, stable=True).tolist()])
        seconds = (time.process_time() - begin) / asked
        return {f"recall@{k}": recall_at(found, self.relevant[:asked], k) for k in (1, 2, 10)} | {"seconds": seconds}


def raw_angles(encode: Callable[[Sequence[str]], Tensor], texts: Sequence[str]) -> list[float]:
    """The mean and the lowest cosine of different sentences."""
    units = nn.functional.normalize(encode(texts), dim=1)
    off = (units @ units.T)[~torch.eye(len(units), dtype=torch.bool)]
    return [float(off.mean()), float(off.min())]


def entailment(weights: dict[str, Tensor], seed: int) -> dict[str, dict[str, float]]:
    """Accuracy by what a classifier learned from and what it is asked: careless or fair, both sentences or one."""
    exams = {
        name: entailment_pairs(ASKED, 1_000, random.Random(seed + 50), careless=name == "careless") for name in KINDS
    }
    found: dict[str, dict[str, float]] = {}
    for name in KINDS:
        learned = entailment_pairs(KNOWN, TEXTS, random.Random(seed + 2), careless=name == "careless")
        model = start(BertForSequenceClassification, weights, seed)
        fit(model, ExampleStream(_rows(learned), pad_id=TOKENIZER.pad_id, batch_size=BATCH, seed=seed))
        found[name] = {exam: _right(model, _rows(pairs)) for exam, pairs in exams.items()}
    return found


KINDS = ("careless", "fair")


def _rows(pairs: Sequence[tuple[str, str, int]]) -> list[dict]:
    """Both sentences in a row, with their label."""
    return pairs_of_rows([(one, other) for one, other, _ in pairs], [label for *_, label in pairs])


@torch.inference_mode()
def _right(model: nn.Module, rows: list[dict]) -> float:
    batches = batches_in_order(rows, pad_id=TOKENIZER.pad_id, batch_size=256)
    hits = sum(int((model(**b).logits.argmax(1) == b["labels"]).sum()) for b in batches)
    return hits / len(rows)


def run_seed(seed: int) -> dict[str, object]:
    """All that one seed does."""
    exam, weights = Exam(seed), pretrained()
    raw = start(BertForSentences, weights, seed)

    def of(model: nn.Module) -> Callable[[Sequence[str]], Tensor]:
        return lambda texts: embed(model, TOKENIZER, texts)

    arms: dict[str, dict[str, float]] = {
        "raw [CLS]": exam.judge(cosines(lambda texts: first_states(raw, texts))),
        "raw mean": exam.judge(cosines(of(raw))),
        "raw mean, minus the mean vector": exam.judge(cosines(of(raw), centred=True)),
        "counted word vectors": exam.judge(cosines(counted(TwiceTold(seed).texts))),
        "counted, minus the mean vector": exam.judge(cosines(counted(TwiceTold(seed).texts), centred=True)),
        "BM25": exam.judge(common_words),
    }
    taught = {}
    for name, kind, dropout in (
        ("SimCSE, no dropout", "itself", 0.0),
        ("SimCSE, dropout 0.1", "itself", 0.1),
        ("cosine loss, graded", "graded", 0.0),
        ("softmax, others of the batch", "told twice", 0.0),
        ("softmax, roles exchanged too", "turned", 0.0),
    ):
        begin = time.process_time()
        taught[name] = bi_encoder(kind, weights, seed, dropout=dropout)
        arms[name] = exam.judge(cosines(of(taught[name]))) | {"taught": time.process_time() - begin}
    for name, kind in (
        ("from scratch: others of the batch", "told twice"),
        ("from scratch: roles exchanged too", "turned"),
    ):
        arms[name] = exam.judge(cosines(of(bi_encoder(kind, None, seed))))
    cross = cross_encoder(weights, seed)
    together = read_together(cross, [(pair.one, pair.other) for pair in exam.pairs])
    finder = cosines(of(taught["softmax, others of the batch"]))
    likeness = {"likeness": spearman(together, exam.gold)}
    arms["cross-encoder, whole index"] = exam.together(cross, None, asked=20) | likeness
    arms["ten best of softmax, cross-encoder"] = exam.together(cross, finder, asked=200)
    arms["ten best of BM25, cross-encoder"] = exam.together(cross, common_words, asked=200)
    angles = {"[CLS]": raw_angles(lambda texts: first_states(raw, texts), exam.sentences),
              "mean": raw_angles(of(raw), exam.sentences),
              "softmax": raw_angles(of(taught["softmax, others of the batch"]), exam.sentences)}  # fmt: skip
    return {"arms": arms, "order": exam.without_order(), "angles": angles, "entailment": entailment(weights, seed)}


def run_control(seed: int) -> dict[str, float]:
    """The softmax with as many wrong answers as the arm with exchanged roles, each of any event."""
    model = bi_encoder("random", pretrained(), seed)
    return Exam(seed).judge(cosines(lambda texts: embed(model, TOKENIZER, texts)))


def longer_cross_encoder(exam: Exam, seed: int, rate: float = RATE) -> tuple[nn.Module, list[float]]:
    """A cross-encoder with five times as many steps, and its likeness after each 200."""
    model = start(BertForSequenceClassification, pretrained(), seed, labels=tuple("01234"))
    pairs = graded_pairs(KNOWN, LONGER * TEXTS, random.Random(seed + 1))
    rows = pairs_of_rows([(p.one, p.other) for p in pairs], [p.common for p in pairs])
    curve: list[float] = []

    def watch(model: nn.Module) -> dict[str, float]:
        together = read_together(model, [(pair.one, pair.other) for pair in exam.pairs])
        curve.append(spearman(together, exam.gold))
        return {}

    stream = ExampleStream(rows, pad_id=TOKENIZER.pad_id, batch_size=BATCH, seed=seed)
    recipe = Recipe(steps=LONGER * STEPS, learning_rate=rate, optimizer="muon", evaluate_every=STEPS)
    train(model, stream, recipe, device="cpu", progress=False, evaluate=watch)
    return model, curve


def run_longer(seed: int) -> dict[str, object]:
    """A cross-encoder with five times as many steps, and what it makes of the ten best of others."""
    exam, weights = Exam(seed), pretrained()
    model, curve = longer_cross_encoder(exam, seed)
    if seed == 0:
        stored = RESULTS / "matching_cross.safetensors"
        save_file({name: weight.half() for name, weight in model.state_dict().items()}, stored)
    softmax, raw = bi_encoder("told twice", weights, seed), start(BertForSentences, weights, seed)
    finders = {
        "BM25": common_words,
        "raw mean": cosines(lambda texts: embed(raw, TOKENIZER, texts)),
        "softmax, others of the batch": cosines(lambda texts: embed(softmax, TOKENIZER, texts)),
    }
    found = {name: {"before": exam.judge(finder), "after": exam.together(model, finder, asked=200)}
             for name, finder in finders.items()}  # fmt: skip
    return {"curve": curve, "reranked": found, "whole": exam.together(model, None, asked=20)}


# ---- tables ----

ENCODINGS = {"cross-encoder, whole index": 500, "ten best of softmax, cross-encoder": 11,
             "ten best of BM25, cross-encoder": 10, "BM25": 0, "counted word vectors": 0,
             "counted, minus the mean vector": 0}  # fmt: skip


def tables(rows: Sequence[dict]) -> str:
    """All tables."""
    parts = [
        "# Matching and search",
        circumstances(torch.device("cpu")),
        f"{len(rows)} seeds: median (range).",
        "## The ladder",
    ]
    parts.append(
        "Likeness is Spearman's correlation with the parts in common. 500 sentences are searched; each event stands "
        "there with its twin, roles exchanged. The cross-encoder is asked 20 queries on the whole index, others 200."
    )
    lines = [
        ["best possible", "1.00", "1.00", "1.00", "1.00", "", ""],
        [
            "best possible without knowing who acted",
            spread([row["order"] for row in rows], ".2f"),
            "0.50",
            "1.00",
            "1.00",
            "",
            "",
        ],
    ]
    for name in rows[0]["arms"]:
        found = [row["arms"][name] for row in rows]
        figures = [
            spread([f[key] for f in found], ".2f") if key in found[0] else ""
            for key in ("likeness", "recall@1", "recall@2", "recall@10")
        ]
        passes = str(ENCODINGS.get(name, 1))
        lines.append([name, *figures, passes, spread([1_000 * f["seconds"] for f in found], ".1f")])
    heading = ["matcher", "likeness", "recall@1", "recall@2", "recall@10", "encoder passes a query", "ms a query"]
    parts.append(table(heading, lines))
    parts.append(
        "Milliseconds are of one core; those of a bi-encoder include encoding the index, shared by the 200 queries."
    )
    lines = [
        [name, *(spread([row["angles"][name][i] for row in rows], ".2f") for i in (0, 1))] for name in rows[0]["angles"]
    ]
    parts += ["## Angles", "Cosines of different sentences of the index.", table(["vectors", "mean", "lowest"], lines)]
    lines = []
    for name in rows[0]["entailment"]:
        lines.append([name, *(spread([row["entailment"][name][exam] for row in rows], ".2f") for exam in KINDS)])
    lines.append(["best possible, both sentences", "1.00", "1.00"])
    parts += ["## Entailment", table(["learned from", *(f"asked: {kind}" for kind in KINDS)], lines)]
    exact = ", ".join(f"{name} {_best_alone(careless=name == 'careless'):.3f}" for name in KINDS)
    return "\n\n".join([*parts, f"Best possible from the second sentence alone, exactly: {exact}."])


def _runs(rows: Sequence[dict]) -> str:
    """How many runs a table is from."""
    return "One run." if len(rows) == 1 else f"{len(rows)} seeds: median (range)."


def longer_table(rows: Sequence[dict]) -> str:
    """The cross-encoder by steps, and as the second of two."""
    steps = [STEPS * number for number in range(LONGER + 1)]
    lines = [[str(step), spread([row["curve"][i] for row in rows], ".2f")] for i, step in enumerate(steps)]
    parts = ["## A cross-encoder by steps", _runs(rows), table(["steps", "likeness"], lines)]
    lines = []
    for name in rows[0]["reranked"]:
        before, after = ([row["reranked"][name][when] for row in rows] for when in ("before", "after"))
        figures = [before, "recall@10"], [before, "recall@1"], [after, "recall@1"]
        lines.append([name, *(spread([f[key] for f in some], ".2f") for some, key in figures)])
        lines[-1] += [str(10 + (name != "BM25")), spread([1_000 * f["seconds"] for f in after], ".1f")]
    whole = [row["whole"] for row in rows]
    lines.append(["the whole index, 20 queries", "1.00", "", spread([f["recall@1"] for f in whole], ".2f"), "500"])
    lines[-1].append(spread([1_000 * f["seconds"] for f in whole], ".1f"))
    heading = ["ten best of", "recall@10", "recall@1 before", "after", "encoder passes a query", "ms a query to rerank"]
    title = f"After {LONGER * STEPS:,} steps: the second of two."
    return "\n\n".join([*parts, "## Reranked", title, table(heading, lines)])


def rate_table(rows: Sequence[dict]) -> str:
    """The cross-encoder by steps, at other learning rates."""
    steps = [STEPS * number for number in range(LONGER + 1)]
    lines = [[str(step), *(f"{row['curve'][i]:.2f}" for row in rows)] for i, step in enumerate(steps)]
    about = f"The likeness of one run of seed 0; that of `matching.md` has the rate {RATE:g}."
    parts = ["# A cross-encoder at another learning rate", circumstances(torch.device("cpu")), about]
    heading = ["steps", *(f"rate {row['rate']:g}" for row in rows)]
    return "\n\n".join([*parts, "## Another learning rate", table(heading, lines)])


def control_table(rows: Sequence[dict]) -> str:
    """The control, by the measures of the ladder."""
    keys = ("likeness", "recall@1", "recall@2", "recall@10")
    line = ["softmax, random events too", *(spread([row[key] for row in rows], ".2f") for key in keys)]
    parts = ["# As many wrong answers, of any event", circumstances(torch.device("cpu")), _runs(rows), "## Control"]
    return "\n\n".join([*parts, table(["matcher", *keys], [line])])


def _best_alone(*, careless: bool) -> float:
    """The accuracy of the best guess from the second sentence alone."""
    odds = same_given_second(careless=careless)
    mass = [0.5 / len(odds) / p for p in odds]  # of each deed, as p = (1/2)(1/8) / mass
    return sum(m * max(p, 1 - p) for m, p in zip(mass, odds, strict=True))


def main() -> None:
    """Run seeds, each into a file; or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="a folder for what each seed found")
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--longer", type=int, nargs="*", default=[], help="seeds of the longer cross-encoder")
    parser.add_argument("--slower", type=float, nargs="*", default=[], help="learning rates of the same, seed 0")
    parser.add_argument("--control", type=int, nargs="*", default=[], help="seeds of the control")
    parser.add_argument("--write", metavar="NAME", help="write results/NAME")
    parser.add_argument("--write-slower", metavar="NAME", help="write results/NAME")
    parser.add_argument("--write-control", metavar="NAME", help="write results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.rows.mkdir(parents=True, exist_ok=True)
    for seed in asked.seeds:
        begin = time.process_time()
        found = run_seed(seed)
        (asked.rows / f"{seed}.json").write_text(json.dumps(found))
        print(seed, f"{time.process_time() - begin:.0f} s", json.dumps(found), flush=True)
    for seed in asked.longer:
        found = run_longer(seed)
        (asked.rows / f"longer{seed}.json").write_text(json.dumps(found))
        print(seed, json.dumps(found), flush=True)
    for rate in asked.slower:
        found = {"rate": rate, "curve": longer_cross_encoder(Exam(0), 0, rate)[1]}
        (asked.rows / f"rate{rate:g}.json").write_text(json.dumps(found))
    for seed in asked.control:
        (asked.rows / f"control{seed}.json").write_text(json.dumps(run_control(seed)))
    if asked.write_control:
        found = [json.loads(path.read_text()) for path in sorted(asked.rows.glob("control*.json"))]
        store(asked.write_control, control_table(found))
    if asked.write_slower:
        store(
            asked.write_slower,
            rate_table([json.loads(path.read_text()) for path in sorted(asked.rows.glob("rate*.json"))]),
        )
    if asked.write:
        rows, longer = (
            [json.loads(path.read_text()) for path in sorted(asked.rows.glob(pattern))]
            for pattern in ("[0-9]*.json", "longer*.json")
        )
        store(asked.write, tables(rows) + "\n\n" + longer_table(longer))


if __name__ == "__main__":
    main()
