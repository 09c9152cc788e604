"""What models that fill blanks can write, what they translate, and what a decoder adds, for chapter 12; five seeds.

**Writing**: three nano models learn from the same 4,000 lines of a corner of the microworld, with the same steps: BERT
(15 % of the pieces hidden, as ever), the same at any rate (the share hidden is drawn anew for each line), and a causal
model. Each writes 300 lines in several ways; the masked ones are told lengths drawn from the lines. The exact grammar
says which lines are possible and how probable they are. The models of seed 0 are stored (`writing.safetensors`,
float16).

**Translation**: into the twin language, word by word (`same order`), with every phrase turned around (`turned`), or as
a coin decides for each line (`either`; then both are right). An encoder with a label for each token, an
encoder-decoder, and the nearest line of the training pairs, on lines that are not among these.

**Few pairs**: an encoder-decoder whose encoder has learned to fill blanks, beside one from random weights.

    python benchmarks/writing.py --rows runs/writing --seeds 0 1 2 3 4
    python benchmarks/writing.py --rows runs/writing --write writing.md
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from common import RESULTS, circumstances, spread, store, table
from safetensors.torch import save_file
from torch import Tensor, nn

from bertmini import PRESETS, BertForMaskedLM, BertForTokenClassification, Floor, Masking, Recipe, World, train
from bertmini.metrics import bleu
from bertmini.microworld.corner import CORNER, tell_lines
from bertmini.microworld.twin import twin_piece
from bertmini.model.writing import BertForCausalLM, EncoderDecoder
from bertmini.runs.write import Guess, continue_texts, fill, gibbs
from bertmini.search import BM25

LINES, STEPS, BATCH, RATE, WRITTEN = 4_000, 600, 64, 5e-3, 300
PAIRS, PAIR_STEPS, PAIR_BATCH, ASKED = 1_000, 300, 32, 400
FEW, FEW_STEPS = ((64, 5e-3), (64, 2e-3), (256, 5e-3)), 200  # pairs and learning rate
SWEEPS = (1, 4, 10)
WORLD = World(CORNER)
TWIN = WORLD.twin()
PIECES, TWIN_PIECES = WORLD.vocabulary(), TWIN.vocabulary()
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
CONFIG = replace(PRESETS["nano"], vocab_size=len(PIECES), labels=tuple(TWIN_PIECES), **NO_DROPOUT)
CLS, SEP, MASK, WORDS = 2, 3, 4, 5  # the first word piece is number 5
Pair = tuple[list[str], list[str], list[list[str]]]  # a line, one translation, all that are right


def to_ids(lines: Sequence[Sequence[str]], pieces: Sequence[str]) -> Tensor:
    """Lines as [CLS] ... [SEP], padded with 0: (B, S)."""
    number = {piece: place for place, piece in enumerate(pieces)}
    width = max(map(len, lines)) + 2
    return torch.tensor([[CLS, *map(number.get, line), SEP] + [0] * (width - 2 - len(line)) for line in lines])


def batch_of(ids: Tensor) -> dict[str, Tensor]:
    """The ids with their attention mask."""
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


def lines_of(seed: int, count: int = LINES) -> Tensor:
    """Lines to learn from."""
    return to_ids([line for line, _ in tell_lines(WORLD, count, seed)], PIECES)


# ---- writing ----


def exercises(kind: str, ids: Tensor, seed: int) -> Iterator[dict[str, Tensor]]:
    """An endless stream of batches for one kind of model."""
    generator, masking = torch.Generator().manual_seed(seed), Masking(PIECES)
    while True:
        chosen = ids[torch.randint(len(ids), (BATCH,), generator=generator)]
        if kind == "causal":
            yield batch_of(chosen)
        elif kind == "BERT":
            masked = masking(chosen, generator=generator)
            yield batch_of(chosen) | {"input_ids": masked.input_ids, "labels": masked.labels}
        else:
            rate = torch.rand(BATCH, 1, generator=generator)
            hidden = (torch.rand(chosen.shape, generator=generator) < rate) & (chosen >= WORDS)
            hidden_ids = {"input_ids": chosen.masked_fill(hidden, MASK), "labels": chosen.masked_fill(~hidden, -100)}
            yield batch_of(chosen) | hidden_ids


def fit(model: nn.Module, stream: Iterator[dict[str, Tensor]], steps: int, rate: float = RATE) -> nn.Module:
    """Train with what all have in common."""
    recipe = Recipe(steps=steps, learning_rate=rate, optimizer="muon")
    train(model, stream, recipe, device="cpu", progress=False)  # type: ignore[arg-type]
    return model.eval()


def learn(kind: str, ids: Tensor, seed: int) -> nn.Module:
    """A nano of one kind."""
    torch.manual_seed(seed)
    model = (BertForCausalLM if kind == "causal" else BertForMaskedLM)(CONFIG)
    return fit(model, exercises(kind, ids, seed), STEPS)


def guess_of(model: nn.Module) -> Guess:
    """A model as a function from ids to logits in which special pieces cannot be drawn, but for a causal end."""
    causal = isinstance(model, BertForCausalLM)

    @torch.inference_mode()
    def guess(ids: Tensor) -> Tensor:
        logits = model(ids).logits[:, -1] if causal else model(**batch_of(ids)).logits
        logits = logits.clone()
        end = logits[..., SEP].clone()
        logits[..., :WORDS] = -torch.inf
        if causal:
            logits[..., SEP] = end
        return logits

    return guess


def judge(ids: Tensor, floor: Floor, known: set[tuple[int, ...]]) -> dict[str, float]:
    """What the exact grammar says of lines (B, S): the possible ones, and of these surprisal, distinct and known."""
    ended = (ids == SEP).any(1)
    likelihood = torch.zeros(len(ids), dtype=torch.float64)
    likelihood[ended] = floor.likelihood(batch_of(ids[ended]))
    rows = [tuple(row[row > 0].tolist()) for row in ids[likelihood > 0]]
    return {
        "possible": len(rows) / len(ids),
        "surprisal": float(-likelihood[likelihood > 0].log().mean()),
        "distinct": len(set(rows)) / max(len(rows), 1),
        "known": sum(row in known for row in rows) / max(len(rows), 1),
    }


def write(models: dict[str, nn.Module], ids: Tensor, seed: int) -> dict[str, dict[str, float]]:
    """All ways to write, graded."""
    floor, known = Floor.task(WORLD, "line"), {tuple(row[row > 0].tolist()) for row in ids}
    generator = torch.Generator().manual_seed(100 + seed)
    fresh = lines_of(1_000 + seed, WRITTEN)
    blank = fresh.masked_fill(fresh >= WORDS, MASK)
    found = {"the world": judge(fresh, floor, known)}
    for name in ("BERT", "any rate"):
        guess = guess_of(models[name])
        for order in ("at once", "left to right", "any order", "most confident"):
            found[f"{name}: {order}"] = judge(fill(guess, blank, MASK, order=order, generator=generator), floor, known)
        best = fill(guess, blank, MASK, order="most confident")
        found[f"{name}: most confident, likeliest piece"] = judge(best, floor, known)
        text, done = fill(guess, blank, MASK, order="at once", generator=generator), 0
        for sweeps in SWEEPS:
            text, done = gibbs(guess, text, blank == MASK, MASK, sweeps=sweeps - done, generator=generator), sweeps
            found[f"{name}: Gibbs, {sweeps} sweeps"] = judge(text, floor, known)
    start = torch.full((WRITTEN, 1), CLS)
    text = continue_texts(guess_of(models["causal"]), start, SEP, longest=20, generator=generator)
    return found | {"causal": judge(text, floor, known)}


def excess(model: nn.Module, seed: int) -> dict[str, float]:
    """How many nats a line costs a causal model, and how many it must cost, on 2,000 fresh lines."""
    ids = lines_of(2_000 + seed, 2_000)
    with torch.inference_mode():
        logits = model(**batch_of(ids)).logits[:, :-1].log_softmax(-1)
    target, there = ids[:, 1:], ids[:, 1:] != 0
    own = (logits.gather(2, target[..., None])[..., 0] * there).sum(1).double()
    exact = Floor.task(WORLD, "line").likelihood(batch_of(ids)).log()
    return {"cost": float(-own.mean()), "least": float(-exact.mean()), "more": float((exact - own).mean())}


# ---- translation ----


def pairs_of(count: int, seed: int, order: str, without: Sequence[Pair] = ()) -> list[Pair]:
    """Lines and their translations in an order, none that is among others."""
    draw, known = random.Random(seed), {tuple(line) for line, *_ in without}
    found = []
    for line, turned in tell_lines(WORLD, 3 * count if without else count, seed):
        same = [twin_piece(piece) for piece in line]
        rights = {"same order": [same], "turned": [turned], "either": [same, turned]}[order]
        if tuple(line) not in known:
            found.append((line, draw.choice(rights), rights))
    return found[:count]


def translating(pairs: Sequence[Pair], seed: int, *, labels: bool) -> Iterator[dict[str, Tensor]]:
    """An endless stream of pairs, for an encoder-decoder or as one label for each token."""
    generator = torch.Generator().manual_seed(seed)
    source, target = to_ids([p[0] for p in pairs], PIECES), to_ids([p[1] for p in pairs], TWIN_PIECES)
    while True:
        chosen = torch.randint(len(pairs), (PAIR_BATCH,), generator=generator)
        ours, theirs = source[chosen], target[chosen]
        if labels:
            yield batch_of(ours) | {"labels": theirs.masked_fill(theirs < WORDS, -100)}
        else:
            yield batch_of(ours) | {"target_ids": theirs, "target_mask": (theirs != 0).long()}


@torch.inference_mode()
def translate(model: nn.Module, source: Tensor) -> list[list[str]]:
    """The most probable pieces: of each token, or one after the other."""
    batch = batch_of(source)
    if isinstance(model, EncoderDecoder):

        def guess(ids: Tensor) -> Tensor:
            return model(source, ids, batch["attention_mask"], torch.ones_like(ids)).logits[:, -1]

        written = continue_texts(guess, torch.full((len(source), 1), CLS), SEP, longest=20)
    else:
        written = model(**batch).logits.argmax(-1).masked_fill(source < WORDS, 0)
    return [[TWIN_PIECES[piece] for piece in row if piece >= WORDS] for row in written.tolist()]


def scores(written: Sequence[list[str]], asked: Sequence[Pair]) -> dict[str, float]:
    """The share that is right to the last piece, and BLEU."""
    rights = [pair[2] for pair in asked]
    exact = sum(line in right for line, right in zip(written, rights, strict=True)) / len(asked)
    return {"exact": exact, "bleu": bleu(written, rights)}


def taught(kind: Callable[[], nn.Module], pairs: Sequence[Pair], seed: int, steps: int, **more: object) -> nn.Module:
    """A translator, perhaps with a pretrained encoder and at another rate."""
    torch.manual_seed(seed)
    model = kind()
    if weights := more.get("weights"):
        model.bert.load_state_dict(weights)  # type: ignore[arg-type]
    labels = isinstance(model, BertForTokenClassification)
    return fit(model, translating(pairs, seed, labels=labels), steps, float(more.get("rate", RATE)))  # type: ignore[arg-type]


def encoder_decoder() -> nn.Module:
    """One from random weights."""
    return EncoderDecoder(CONFIG, len(TWIN_PIECES))


def translations(seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """By the order of the twin language: an encoder alone, an encoder-decoder, and the nearest line."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for order in ("same order", "turned", "either"):
        pairs = pairs_of(PAIRS, 3_000 + seed, order)
        asked = pairs_of(ASKED, 4_000 + seed, order, pairs)
        source = to_ids([pair[0] for pair in asked], PIECES)
        alone = taught(lambda: BertForTokenClassification(CONFIG), pairs, seed, PAIR_STEPS)
        found[order] = {"encoder alone": scores(translate(alone, source), asked)}
        if order != "same order":
            model = taught(encoder_decoder, pairs, seed, PAIR_STEPS)
            found[order]["encoder-decoder"] = scores(translate(model, source), asked)
        index = BM25([" ".join(pair[0]) for pair in pairs])
        nearest = [pairs[index.search(" ".join(pair[0]), k=1)[0]][1] for pair in asked]
        found[order]["nearest line"] = scores(nearest, asked)
    return found


def few(weights: dict[str, Tensor], seed: int) -> dict[str, dict[str, float]]:
    """Turned pairs, few of them, with and without a pretrained encoder."""
    found = {}
    for count, rate in FEW:
        pairs = pairs_of(count, 5_000 + seed, "turned")
        asked = pairs_of(ASKED, 6_000 + seed, "turned", pairs)
        source, met = to_ids([pair[0] for pair in asked], PIECES), {piece for pair in pairs for piece in pair[0]}
        could = sum(set(pair[0]) <= met for pair in asked) / len(asked)
        for name, start in (("random weights", None), ("pretrained encoder", weights)):
            model = taught(encoder_decoder, pairs, seed, FEW_STEPS, rate=rate, weights=start)
            found[f"{count} | {rate:g} | {name}"] = scores(translate(model, source), asked) | {"could": could}
    return found


# ---- tables ----


def run_seed(seed: int) -> dict[str, object]:
    """All that one seed does."""
    ids = lines_of(seed)
    models = {kind: learn(kind, ids, seed) for kind in ("BERT", "any rate", "causal")}
    if not seed:
        weights = {f"{kind}/{name}": w.half() for kind, m in models.items() for name, w in m.state_dict().items()}
        save_file(weights, RESULTS / "writing.safetensors")
    return {
        "written": write(models, ids, seed),
        "excess": excess(models["causal"], seed),
        "translated": translations(seed),
        "few": few({name: w.clone() for name, w in models["BERT"].bert.state_dict().items()}, seed),
    }


def report(rows: list[dict]) -> str:
    """The tables of all seeds."""

    def cells(path: Sequence[str], names: Sequence[str], form: str = ".2f") -> list[str]:
        parts = rows
        for key in path:
            parts = [part[key] for part in parts]
        return [spread([part[name] for part in parts], ".3f" if name == "possible" else form) for name in names]

    written = [
        [name, *cells(["written", name], ["possible", "surprisal", "distinct", "known"])] for name in rows[0]["written"]
    ]
    translated = [
        [order, name, *cells(["translated", order, name], ["exact", "bleu"])]
        for order, arms in rows[0]["translated"].items()
        for name in arms
    ]
    fewer = [[*name.split(" | "), *cells(["few", name], ["exact", "bleu", "could"])] for name in rows[0]["few"]]
    return "\n\n".join(
        [
            "# Writing",
            circumstances(torch.device("cpu")),
            f"{len(rows)} seeds: median (range).",
            "## Written",
            f"{WRITTEN} lines each, after {STEPS} steps on {LINES:,} lines. Surprisal is -ln of the exact probability, "
            "in nats; it, distinct and known (among the lines learned from) are of the possible lines.",
            table(["lines by", "possible", "surprisal", "distinct", "known"], written),
            "## Likelihood",
            "Nats a line, on 2,000 fresh lines.",
            table(["causal model", "least possible", "more than that"], [cells(["excess"], ["cost", "least", "more"])]),
            "## Translated",
            f"{PAIR_STEPS} steps on {PAIRS:,} pairs; {ASKED} lines that are not among them.",
            table(["word order", "by", "exact", "BLEU"], translated),
            "## Few pairs",
            f"Turned, {FEW_STEPS} steps. The last column: lines all of whose pieces stand in the pairs.",
            table(["pairs", "learning rate", "encoder from", "exact", "BLEU", "could be known"], fewer),
        ]
    )


def main() -> None:
    """Run seeds, or write the table of those that ran."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="folder that keeps each seed's figures")
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.rows.mkdir(parents=True, exist_ok=True)
    for seed in asked.seeds:
        (asked.rows / f"{seed}.json").write_text(json.dumps(run_seed(seed), indent=1), encoding="utf-8")
        print("seed", seed, flush=True)
    if asked.write:
        rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(asked.rows.glob("*.json"))]
        text = report(rows)
        print(text)
        store(asked.write, text)


if __name__ == "__main__":
    main()
