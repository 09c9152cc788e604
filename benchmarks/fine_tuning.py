"""How steady fine-tuning is, and how sure: many restarts at one rate, and calibration at equal passes, for chapter 08.

**Restarts.** A restart keeps the pretrained encoder and draws another head and another order of the examples, as Devlin
et al. (2019, section 4.1) did. Four arms: with and without warm-up over the first tenth of the steps, with and without
Adam's bias correction. Two rates, the chapter's and ten times that. Two models: the nano on the polarity of 64
sentences (five pretrainings, four restarts of each), and the English checkpoint on 24 sentences of our own
(`english_shelves.tsv`; five restarts, each with its own choice of the 24). Nothing else differs between the arms. What
warm-up does was asked once more of the English checkpoint with dropout, which the others have not. The
norm of the gradient is taken of the head and of the lowest layer, before both are cut together.

**Calibration.** Arms with 64 and with 1,024 labels, at equal steps (150) and at equal passes over the labels, and one
with 64 of which 48 train and 16 choose the epoch. Five seeds, each with its own pretraining and labels.

**Real sentences.** The English checkpoint against counting words. *Shelves*: 120 sentences about the sea, a court and a
farm, 24 of them labelled, five choices, those of the restarts. *Opinions*: 120 sentences in pairs that differ
in a word or two, one of each pair praise and one blame (`english_opinions.tsv`); five folds, no pair divided, 96
labelled, so that each sentence is asked once. From scratch at two rates, with the loss on the training sentences.

    python benchmarks/fine_tuning.py --rows runs/fine_tuning --seeds 0 1 2 3 4 --parts restarts calibration
    python benchmarks/fine_tuning.py --rows runs/fine_tuning --parts english dropout sentences
    python benchmarks/fine_tuning.py --rows runs/fine_tuning --write fine_tuning.md
"""

import argparse
import json
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from classification import BATCH, Bench, fit_linear, pretrain, vectors
from common import circumstances, publish, spread, table
from torch import Tensor, nn

from bertmini.config import PRESETS
from bertmini.data.batches import Batch, ExampleStream, Row, pad
from bertmini.data.classification import classification_rows
from bertmini.data.tables import LabelledText, read_labelled
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.metrics import expected_calibration_error
from bertmini.microworld import split_generator
from bertmini.model.pretraining import BertForMaskedLM, BertForPreTraining
from bertmini.model.tasks import BertForSequenceClassification
from bertmini.training.loop import train
from bertmini.training.optim import linear_schedule
from bertmini.training.recipe import Recipe

Found = dict[str, object]
PARTS = ("restarts", "calibration", "english", "dropout", "sentences")
SHELVES, OPINIONS = (Path(__file__).parent / f"english_{name}.tsv" for name in ("shelves", "opinions"))
RATE, ENGLISH_RATE, LABELLED, STEPS, ENGLISH_STEPS = 5e-4, 3e-4, 64, 60, 40
NETWORKS = {"from scratch": ENGLISH_RATE, "from scratch, rate 0.001": 1e-3, "fine-tuned": ENGLISH_RATE}
ARMS = [(warmup, corrected) for warmup in (0.1, 0.0) for corrected in (True, False)]
NAMES = {(0.1, True): "both", (0.1, False): "warm-up only", (0.0, True): "correction only", (0.0, False): "neither"}


def adamw_step(
    model: nn.Module, state: dict[Tensor, tuple[Tensor, Tensor]], step: int, rate: float, *, corrected: bool
) -> None:
    """One update by AdamW as chapter 08 writes it out, with or without the correction of its two averages."""
    for weight in model.parameters():
        if weight.grad is None:
            continue
        mean, square = state.setdefault(weight, (torch.zeros_like(weight), torch.zeros_like(weight)))
        mean.lerp_(weight.grad, 1 - 0.9)
        square.lerp_(weight.grad**2, 1 - 0.999)
        first, second = (1 - 0.9**step, 1 - 0.999**step) if corrected else (1.0, 1.0)
        weight *= 1 - rate * (0.01 if weight.ndim >= 2 else 0)
        weight -= rate * (mean / first) / ((square / second).sqrt() + 1e-6)


def run(
    model: BertForSequenceClassification,
    stream: ExampleStream,
    steps: int,
    peak: float,
    *,
    warmup: float,
    corrected: bool,
) -> list[tuple[float, float]]:
    """Fine-tune in place: before each step the norms of the gradient, in the head and in the lowest layer, uncut."""
    state: dict[Tensor, tuple[Tensor, Tensor]] = {}
    parts = model.classifier, model.bert.layers[0]
    norms = []
    model.train()
    for step in range(1, steps + 1):
        model.zero_grad()
        loss = model(**next(stream)).loss
        loss.backward()
        head, lowest = (float(nn.utils.get_total_norm([w.grad for w in part.parameters()])) for part in parts)
        norms.append((head, lowest))
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        rate = peak * linear_schedule(step - 1, steps, int(warmup * steps))
        with torch.no_grad():
            adamw_step(model, state, step, rate, corrected=corrected)
    model.eval()
    return norms


def restart(
    build: Callable[[], BertForSequenceClassification],
    rows: list[Row],
    test: Callable[[Tensor], float],
    test_batch: Batch,
    seed: int,
    steps: int,
    rate: float,
    batch_size: int,
    note: Callable[..., None],
    arms: Sequence[tuple[float, bool]] = ARMS,
) -> None:
    """Run the arms from one and the same start."""
    training = pad(rows, 0)
    for warmup, corrected in arms:
        torch.manual_seed(seed)
        model = build()
        stream = ExampleStream(rows, pad_id=0, batch_size=batch_size, seed=seed)
        norms = run(model, stream, steps, rate, warmup=warmup, corrected=corrected)
        with torch.no_grad():
            loss = float(model(**training).loss)
            score = test(model(**test_batch).logits.argmax(1))
        head, lowest = (statistics.median(part) for part in zip(*norms[-10:], strict=True))
        note(arm=NAMES[warmup, corrected], rate=rate, restart=seed, loss=loss, score=score, head=head, lowest=lowest)


def pretrained_once(bench: Bench, seed: int, folder: Path) -> BertForPreTraining:
    """Pretrain the encoder of a seed, or read it where that has been done."""
    weights = folder / f"seed{seed}.pt"
    if not weights.exists():
        torch.save(pretrain(bench, seed).state_dict(), weights)
    config = replace(
        PRESETS["nano"], vocab_size=len(bench.tokenizer), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    pretrained = BertForPreTraining(config)
    pretrained.load_state_dict(torch.load(weights))
    return pretrained


def new_classifier(bench: Bench, pretrained: BertForPreTraining) -> BertForSequenceClassification:
    """A random head on a copy of the pretrained encoder."""
    model = BertForSequenceClassification(replace(pretrained.config, labels=bench.labels["polarity"]))
    model.bert.load_state_dict(pretrained.bert.state_dict())
    return model


def nano_restarts(bench: Bench, pretrained: BertForPreTraining, seed: int) -> list[Found]:
    """Four restarts on one pretraining, at each rate."""
    found: list[Found] = []
    drawn = bench.draw("polarity", LABELLED, split_generator("train", 100 + seed))
    rows = classification_rows(drawn, bench.tokenizer, bench.labels["polarity"], max_length=64)
    for rate in (RATE, 10 * RATE):
        for number in range(4):
            restart(
                lambda: new_classifier(bench, pretrained), rows, lambda a: bench.score("polarity", a),
                bench.tests["polarity"], number, STEPS, rate, BATCH,
                lambda **row: found.append(row | {"what": "restarts", "model": "nano", "seed": seed}),
            )  # fmt: skip
    return found


def choice(examples: list[LabelledText], number: int) -> tuple[list[LabelledText], list[LabelledText]]:
    """Choose eight sentences of each label: these, and all the others."""
    draw = random.Random(number)
    of_label = {name: [e for e in examples if e.label == name] for name in sorted({e.label for e in examples})}
    few = [example for members in of_label.values() for example in draw.sample(members, 8)]
    return few, [example for example in examples if example not in few]


def english_restarts(
    *,
    rates: Sequence[float] = (ENGLISH_RATE, 10 * ENGLISH_RATE),
    arms: Sequence[tuple[float, bool]] = ARMS,
    dropout: float = 0.0,
) -> list[Found]:
    """Restarts of the English checkpoint on sentences of our own, eight to a label; the others are the test."""
    found: list[Found] = []
    tokenizer = WordPieceTokenizer.from_pretrained("english")
    examples = read_labelled(SHELVES)
    labels = tuple(sorted({example.label for example in examples}))
    name = f"english, dropout {dropout}" if dropout else "english"
    rest = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    for number in range(5):
        rows, others = (
            classification_rows(part, tokenizer, labels, max_length=32) for part in choice(examples, number)
        )
        test = pad(others, 0)
        for rate in rates:
            restart(
                lambda: BertForSequenceClassification.from_pretrained("english", new_head=True, labels=labels, **rest),
                rows, lambda answers, test=test: float((answers == test["labels"]).float().mean()), test,
                number, ENGLISH_STEPS, rate, 16,
                lambda **row: found.append(row | {"what": "restarts", "model": name, "seed": 0}), arms,
            )  # fmt: skip
    return found


def sentences() -> list[Found]:
    """Counting words, frozen, from scratch and fine-tuned, on both sets of real sentences."""
    found: list[Found] = []
    tokenizer = WordPieceTokenizer.from_pretrained("english")
    encoder = BertForMaskedLM.from_pretrained("english").bert
    for name, path in (("Shelves", SHELVES), ("Opinions", OPINIONS)):
        examples = read_labelled(path)
        labels = tuple(sorted({example.label for example in examples}))
        for number in range(5):
            if name == "Shelves":
                few, others = choice(examples, number)
            else:
                few = [example for place, example in enumerate(examples) if place // 2 % 5 != number]
                others = [example for example in examples if example not in few]
            rows, asked = (classification_rows(part, tokenizer, labels, max_length=32) for part in (few, others))
            given, test = pad(rows, 0), pad(asked, 0)
            answers, losses = {}, {}
            for method, features in (("bag of words", lambda batch: pieces(batch, len(tokenizer))),
                                     ("frozen", lambda batch: vectors(encoder, batch))):  # fmt: skip
                weight, bias = fit_linear(features(given), given["labels"], len(labels))
                answers[method] = (features(test) @ weight + bias).argmax(1)
            for method, rate in NETWORKS.items():
                torch.manual_seed(number)
                model = BertForSequenceClassification.from_pretrained("english", new_head=True, labels=labels)
                if method.startswith("from scratch"):
                    model.initialize()
                stream = ExampleStream(rows, pad_id=0, batch_size=16, seed=number)
                train(model, stream, Recipe(steps=ENGLISH_STEPS, learning_rate=rate), device="cpu", progress=False)
                with torch.no_grad():
                    answers[method] = model(**test).logits.argmax(1)
                    losses[method] = float(model(**given).loss)
            for method, said in answers.items():
                right = int((said == test["labels"]).sum())
                note = {"score": right / len(others), "right": right, "asked": len(others), "loss": losses.get(method)}
                found.append({"what": "sentences", "task": name, "method": method, "seed": number} | note)
    return found


def pieces(batch: Batch, size: int) -> Tensor:
    """Count the pieces of each text, special ones left out: (B, V)."""
    ids = batch["input_ids"]
    found = torch.zeros(len(ids), size).scatter_add_(1, ids, torch.ones(ids.shape))
    found[:, :5] = 0
    return found


def calibration(bench: Bench, pretrained: BertForPreTraining, seed: int) -> list[Found]:
    """Five arms of one seed."""
    found: list[Found] = []
    drawn = bench.draw("polarity", 1_024, split_generator("train", 100 + seed))
    posterior, truth = bench.posterior["polarity"], bench.tests["polarity"]["labels"]

    def tune(examples: list[LabelledText], steps: int, chosen_on: list[LabelledText] | None = None) -> Tensor:
        torch.manual_seed(seed)
        model = new_classifier(bench, pretrained)
        rows = classification_rows(examples, bench.tokenizer, bench.labels["polarity"], max_length=64)
        stream = ExampleStream(rows, pad_id=bench.tokenizer.pad_id, batch_size=BATCH, seed=seed)
        best: list[tuple[float, dict[str, Tensor]]] = []

        def held_out(model: nn.Module) -> dict[str, float]:
            loss = float(model(**bench.batch(chosen_on or examples, bench.labels["polarity"])).loss)
            if not best or loss < best[-1][0]:
                best.append((loss, {name: tensor.clone() for name, tensor in model.state_dict().items()}))
            return {"held out": loss}

        recipe = Recipe(steps=steps, learning_rate=RATE, evaluate_every=stream.batches_per_epoch)
        train(model, stream, recipe, evaluate=held_out if chosen_on else None, device="cpu", progress=False)
        if best:
            model.load_state_dict(best[-1][1])
        with torch.no_grad():
            return model(**bench.tests["polarity"]).logits.softmax(1)

    few = drawn[:64]
    for arm, said in (
        ("64 labels, 150 steps", tune(few, 150)),
        ("64 labels, 9 steps", tune(few, 9)),
        ("64 labels, best epoch", tune(few[:48], 150, few[48:])),
        ("1,024 labels, 150 steps", tune(drawn, 150)),
        ("1,024 labels, 2,400 steps", tune(drawn, 2_400)),
    ):
        sure = said.max(1).values
        found.append(
            {
                "what": "calibration", "arm": arm, "seed": seed, "score": bench.score("polarity", said.argmax(1)),
                "confidence": float(sure.median()), "over": float((sure > 0.99).float().mean()),
                "ece": expected_calibration_error(said, truth),
                "distance": float((said - posterior).abs()[:, 0].mean()),
            }
        )  # fmt: skip
    return found


def has_failed(row: Found) -> bool:
    """Whether a run failed: at its end the loss on its own training sentences is above half of a guesser's."""
    return float(str(row["loss"])) > 0.5 * math.log(2 if row["model"] == "nano" else 3)


def summary(rows: list[Found]) -> str:
    """The tables."""
    parts = []
    rates: dict[str, tuple[float, ...]] = {"nano": (RATE, 10 * RATE), "english": (ENGLISH_RATE, 10 * ENGLISH_RATE)}
    rates["english, dropout 0.1"] = (10 * ENGLISH_RATE,)
    for model, rate in ((model, rate) for model, of_model in rates.items() for rate in of_model):
        here = [row for row in rows if row["what"] == "restarts" and (row["model"], row["rate"]) == (model, rate)]
        lines = []
        for arm in NAMES.values():
            if not (of_arm := [row for row in here if row["arm"] == arm]):
                continue
            failed = f"{sum(map(has_failed, of_arm))} of {len(of_arm)}"
            columns = (("score", ".3f"), ("loss", ".3f"), ("head", ".2g"), ("lowest", ".1e"))
            forms = [spread([float(str(row[key])) for row in of_arm], form) for key, form in columns]
            lines.append([arm, failed, *forms])
        heading = ["warm-up and correction", "failed", "score", "training loss", "gradient of the head", "of layer 0"]
        parts.append(f"## Restarts, {model}, rate {rate:g}\n\n" + table(heading, lines))
    here = [row for row in rows if row["what"] == "calibration"]
    lines = []
    for arm in dict.fromkeys(str(row["arm"]) for row in here):
        cells = [
            spread([float(str(row[key])) for row in here if row["arm"] == arm], ".3f")
            for key in ("score", "confidence", "over", "ece", "distance")
        ]
        lines.append([arm, *cells])
    heading = ["arm", "score", "median confidence", "share above 0.99", "calibration error", "distance to posterior"]
    parts.append("## Calibration\n\n" + table(heading, lines))
    for task in ("Shelves", "Opinions"):
        of_task = [row for row in rows if row["what"] == "sentences" and row["task"] == task]
        lines = []
        for method in dict.fromkeys(str(row["method"]) for row in of_task):
            here = [row for row in of_task if row["method"] == method]
            losses = [float(str(row["loss"])) for row in here if row["loss"] is not None]
            right, asked = (sum(int(str(row[key])) for row in here) for key in ("right", "asked"))
            shares = spread([float(str(row["score"])) for row in here], ".3f")
            lines.append([method, shares, f"{right} of {asked}", spread(losses, ".3f") if losses else ""])
        parts.append(f"## {task}\n\n" + table(["method", "share right", "together", "training loss"], lines))
    return "\n\n".join(parts)


def main() -> None:
    """Run what is asked for, and make the tables of all that has been run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=[])
    parser.add_argument("--rows", type=Path, required=True, help="a folder that keeps rows and pretrained weights")
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.rows.mkdir(parents=True, exist_ok=True)
    bench = Bench()

    def keep(name: str, work: Callable[[], list[Found]]) -> None:
        begin = time.process_time()
        (asked.rows / f"{name}.json").write_text(json.dumps(work()), encoding="utf-8")
        print(f"{name}: {time.process_time() - begin:.0f} s of processor time", flush=True)

    for seed in asked.seeds:
        pretrained = pretrained_once(bench, seed, asked.rows)
        for part, work in (("restarts", nano_restarts), ("calibration", calibration)):
            if part in asked.parts:
                keep(f"{part}{seed}", partial(work, bench, pretrained, seed))
    with_correction = [arm for arm in ARMS if arm[1]]
    dropping = partial(english_restarts, rates=(10 * ENGLISH_RATE,), arms=with_correction, dropout=0.1)
    for part, alone in (("english", english_restarts), ("dropout", dropping), ("sentences", sentences)):
        if part in asked.parts:
            keep(part, alone)
    found = [row for path in sorted(asked.rows.glob("*.json")) for row in json.loads(path.read_text())]
    text = "\n\n".join(
        [
            "# How steady fine-tuning is, and how sure",
            f"{circumstances(torch.device('cpu'))}. Median and range. A run has failed if the loss on its own "
            "training sentences ends above half of a guesser's. The gradients are those of the last ten steps.",
            summary(found),
        ]
    )
    publish(text, asked.write)


if __name__ == "__main__":
    main()
