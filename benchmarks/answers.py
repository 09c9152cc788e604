"""Learning to answer questions, for chapter 10: the plateau, sentences more, short windows, a hundred documents.

**Learning.** Five seeds (of the head, the quizzes and their order) fine-tune the pretrained nano whose youth is stored
(`youth.py`); with `--scratch` they start from random weights and get as many steps. Every 100 steps the model is scored
(how probable its answers are by the exact posterior, 500 quizzes), and once more with the name in the question blanked
out.

**One sentence more.** The pretrained readers are asked again after a sentence was added, at the end or at the
beginning: one that has nothing to do with the question, or the fact that is asked for, of somebody else. Then they
are trained on for 300 steps with such a fact at the end of half of the passages, and asked once more.

**Windows.** The same readers see 14 pieces of the passage at a time, with no overlap, half, or all but one.

**A hundred documents.** The readers are trained on for 800 steps on quizzes with full names, then asked about people
who stand in one of a hundred passages; BM25 finds the passages. An answer counts as right whichever passage it comes
from. The first seed's readers are stored, in float16: as they were after the learning (`reader/`), and as they are
asked about the documents (`library/`).

    python benchmarks/answers.py --rows runs/answers --seeds 0 1 2 3 4
    python benchmarks/answers.py --rows runs/answers --seeds 0 1 2 3 4 --scratch
    python benchmarks/answers.py --rows runs/answers --write answers
"""

import argparse
import csv
import json
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from common import RESULTS, circumstances, spread, store, table
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bertmini.answer_scores import answer_scores, best_threshold
from bertmini.config import PRESETS
from bertmini.data.answers import Reading, answer_windows, read_spans
from bertmini.data.batches import Batch, ExampleStream, Row, batches_in_order, pad
from bertmini.data.squad import GoldAnswer, Question
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import Floor, World, WorldDocument, split_generator
from bertmini.microworld.quizzes import (
    BOYS,
    FAMILIES,
    GIRLS,
    Quiz,
    distractor,
    library,
    quiz_of,
    with_full_names,
    with_sentence,
)
from bertmini.model.tasks import BertForQuestionAnswering
from bertmini.search import BM25, recall_at
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

STEPS, BATCH, RATE, EVERY, TRAINED, TESTED = 1_400, 32, 4e-3, 100, 16_000, 500
FILLER = "it was a long day on the river."
WORLD = World.default()
TOKENIZER = WordPieceTokenizer.from_vocab(WORLD.vocabulary())


def as_question(quiz: Quiz, number: int = 0) -> Question:
    """A quiz as `bertmini.data` reads it."""
    answers = (GoldAnswer(quiz.answer, quiz.begin),) if quiz.answer else ()
    return Question(str(number), quiz.question, quiz.passage, answers)


def documents_of(count: int, split: str, seed: int = 0) -> list[WorldDocument]:
    """Documents of the task."""
    return WORLD.sample(count, generator=split_generator(split, seed), kind="answer")  # type: ignore[arg-type]


def rows_of(quizzes: Sequence[Quiz]) -> list[Row]:
    """Rows to train on; every quiz fits into one window."""
    questions = [as_question(quiz, number) for number, quiz in enumerate(quizzes)]
    return [window.row for window in answer_windows(questions, TOKENIZER, max_length=64, stride=32)]


def tune(model: nn.Module, quizzes: Sequence[Quiz], steps: int, seed: int, **more: object) -> float:
    """Train on; the seconds of processor time that it took."""
    stream = ExampleStream(rows_of(quizzes), pad_id=TOKENIZER.pad_id, batch_size=BATCH, seed=seed)
    recipe = Recipe(steps=steps, learning_rate=RATE, optimizer="muon", evaluate_every=EVERY)
    begin = time.process_time()
    train(model, stream, recipe, device="cpu", progress=False, **more)  # type: ignore[arg-type]
    return time.process_time() - begin


def read(model: nn.Module, quizzes: Sequence[Quiz], max_length: int = 64, stride: int = 32) -> list[Reading]:
    """What the model finds."""
    questions = [as_question(quiz, number) for number, quiz in enumerate(quizzes)]
    windows = answer_windows(questions, TOKENIZER, max_length=max_length, stride=stride)
    logits: list[tuple[Tensor, Tensor]] = []
    with torch.inference_mode():
        for batch in batches_in_order([window.row for window in windows], pad_id=TOKENIZER.pad_id, batch_size=256):
            output = model(**batch)
            logits += zip(output.start_logits, output.end_logits, strict=True)
    return read_spans(windows, logits, questions)


def right(readings: Sequence[Reading], quizzes: Sequence[Quiz], threshold: float = 0.0) -> tuple[float, float, float]:
    """Exact match of all, of those with an answer, of those without."""
    said = [reading.answer(threshold) for reading in readings]
    scores = answer_scores(said, [[quiz.answer] if quiz.answer else [] for quiz in quizzes])
    return scores.exact, scores.has_exact, scores.no_exact


class Exam:
    """Quizzes with the exact posterior of every span."""

    def __init__(self, split: str = "validation", count: int = TESTED) -> None:
        """Draw them."""
        documents = documents_of(count, split)
        self.quizzes = [quiz_of(document) for document in documents]
        self.batch: Batch = pad(rows_of(self.quizzes), TOKENIZER.pad_id)
        self.posterior = Floor.task(WORLD, "answer").answers(self.batch).float()

    def score(self, model: nn.Module, batch: Batch | None = None) -> float:
        """How probable the model's answers are, on average; perhaps those to another batch than ours."""
        batch = batch or self.batch
        with torch.inference_mode():
            output = model(**{name: batch[name] for name in ("input_ids", "token_type_ids", "attention_mask")})
        text = (batch["token_type_ids"] == 1) & (batch["input_ids"] != TOKENIZER.sep_id)
        allowed = (text[:, :, None] & text[:, None, :]).triu()
        allowed[:, 0, 0] = True
        scores = output.start_logits[:, :, None] + output.end_logits[:, None, :]
        best = scores.masked_fill(~allowed, -torch.inf).flatten(1).argmax(1)
        return float(self.posterior.flatten(1).gather(1, best[:, None]).mean())

    def hidden(self, which: str) -> Batch:
        """The batch with parts of it blanked out: "name", "relation" or "question", "passage"."""
        ids, types = self.batch["input_ids"], self.batch["token_type_ids"]
        names = torch.isin(ids, torch.tensor(TOKENIZER.convert_tokens_to_ids([*GIRLS, *BOYS])))
        special = torch.isin(ids, torch.tensor(sorted(TOKENIZER.special_ids)))
        asked = (types == 0) & ~special
        chosen = {
            "name": asked & names,
            "relation": asked & ~names,
            "question": asked,
            "passage": (types == 1) & ~special,
        }[which]
        return self.batch | {"input_ids": ids.masked_fill(chosen, TOKENIZER.mask_id)}

    def best(self, which: str | None = None) -> float:
        """The best possible score, perhaps with a part hidden."""
        batch = self.hidden(which) if which else self.batch
        return float(Floor.task(WORLD, "answer").answers(batch).flatten(1).amax(1).mean())


def new_reader(seed: int, *, pretrained: bool) -> BertForQuestionAnswering:
    """A new head on the stored youth, or on nothing."""
    torch.manual_seed(seed)
    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = BertForQuestionAnswering(replace(PRESETS["nano"], vocab_size=len(TOKENIZER), **dropout))
    if pretrained:
        last = "2000/bert."
        stored = load_file(RESULTS / "youth.safetensors")
        weights = {name.removeprefix(last): w.float() for name, w in stored.items() if name.startswith(last)}
        model.bert.load_state_dict({name: w for name, w in weights.items() if "pooler" not in name})
    return model


def full_named(quizzes: Sequence[Quiz], draw: random.Random) -> list[Quiz]:
    """Give everybody a family name; one question in five is then about a namesake, who does not stand there."""
    named = []
    for quiz in quizzes:
        families = dict(zip(GIRLS + BOYS, draw.sample(FAMILIES, 6), strict=True))
        full = with_full_names(quiz, families)
        if draw.random() < 0.2:
            other = draw.choice([family for family in FAMILIES if family != families[quiz.who]])
            asked = with_full_names(quiz, families | {quiz.who: other}).question
            full = Quiz(asked, full.passage)
        named.append(full)
    return named


def retrieve_and_read(model: nn.Module, seed: int) -> dict[str, dict[int, float]]:
    """Recall and exact match by how many passages are read."""
    quizzes = [quiz_of(document) for document in documents_of(2_000, "test", seed + 1)]
    passages, asked = library(quizzes, random.Random(seed))
    index = BM25(passages)
    found = [index.search(quiz.question, k=20) for quiz, _ in asked]
    hits = dict.fromkeys((1, 2, 5, 10, 20), 0)
    for (quiz, _), numbers in zip(asked, found, strict=True):
        readings = read(model, [Quiz(quiz.question, passages[number]) for number in numbers])
        for k in hits:
            best = max(readings[:k], key=lambda reading: reading.margin)
            hits[k] += best.candidates[0].text == quiz.answer
    exact = {k: count / len(asked) for k, count in hits.items()}
    places = [place for _, place in asked]
    given = right(read(model, [quiz for quiz, _ in asked]), [quiz for quiz, _ in asked])[0]
    return {"recall": {k: recall_at(found, places, k) for k in exact}, "exact": exact, "given": {1: given}}


def in_windows(model: nn.Module, quizzes: Sequence[Quiz], room: int, stride: int) -> list[Reading]:
    """Read with room for so many pieces of the passage, whatever the length of the question."""
    lengths = [len(TOKENIZER.tokenize(quiz.question)) for quiz in quizzes]
    found: dict[int, Reading] = {}
    for length in set(lengths):
        numbers = [number for number, other in enumerate(lengths) if other == length]
        readings = read(model, [quizzes[number] for number in numbers], max_length=length + 3 + room, stride=stride)
        found |= zip(numbers, readings, strict=True)
    return [found[number] for number in range(len(quizzes))]


def chosen_threshold(readings: Sequence[Reading], quizzes: Sequence[Quiz]) -> float:
    """The best threshold for these."""
    return best_threshold(
        [reading.margin for reading in readings],
        [reading.candidates[0].text for reading in readings],
        [[quiz.answer] if quiz.answer else [] for quiz in quizzes],
    )


def at_the_beginning(quiz: Quiz, sentence: str) -> Quiz:
    """Say one sentence more before all others."""
    return quiz._replace(passage=f"{sentence} {quiz.passage}", begin=quiz.begin + len(sentence) + 1)


def sure_quizzes(count: int, split: str, seed: int) -> list[Quiz]:
    """Quizzes whose answer is certain: nobody is called "one of them"."""
    return [quiz for quiz in map(quiz_of, documents_of(count, split, seed)) if "one of them" not in quiz.passage]


def one_more(model: nn.Module, seed: int) -> dict[str, tuple[float, float, float]]:
    """Exact match with one sentence more; `right` gives all, with an answer, without."""
    quizzes, draw = sure_quizzes(500, "test", seed), random.Random(seed)
    others = [distractor(quiz, draw) for quiz in quizzes]
    changed = {
        "nothing added": quizzes,
        "another topic, at the end": [with_sentence(quiz, FILLER) for quiz in quizzes],
        "a distractor, at the end": [with_sentence(*pair) for pair in zip(quizzes, others, strict=True)],
        "another topic, at the beginning": [at_the_beginning(quiz, FILLER) for quiz in quizzes],
        "a distractor, at the beginning": [at_the_beginning(*pair) for pair in zip(quizzes, others, strict=True)],
    }
    return {name: right(read(model, each), each) for name, each in changed.items()}


def windows(model: nn.Module, seed: int) -> dict[str, list[float]]:
    """Exact match (all, with, without an answer) by overlap; then all, with a threshold chosen on other quizzes."""
    quizzes, others = sure_quizzes(500, "test", seed), sure_quizzes(500, "validation", seed + 1)
    found = {}
    for overlap in (0, 7, 13):
        readings, chosen_on = (in_windows(model, each, 14, 14 - overlap) for each in (quizzes, others))
        threshold = chosen_threshold(chosen_on, others)
        found[str(overlap)] = [*right(readings, quizzes), *right(readings, quizzes, threshold), threshold]
    return found


def learn(seed: int, *, pretrained: bool) -> tuple[nn.Module, list[Quiz], dict[str, object]]:
    """Train a reader and watch it: the reader, the quizzes it has seen, and its curve."""
    exam, drawn = Exam(), [quiz_of(document) for document in documents_of(TRAINED, "train", seed + 1)]
    nameless, curve = exam.hidden("name"), []

    def watch(model: nn.Module) -> dict[str, float]:
        curve.append((exam.score(model), exam.score(model, nameless)))
        return {}

    model = new_reader(seed, pretrained=pretrained)
    seconds = tune(model, drawn, STEPS, seed, evaluate=watch)
    print(f"seed {seed}, pretrained {pretrained}: {curve}", flush=True)
    return model, drawn, {"curve": curve, "seconds": seconds}


def run_seed(seed: int, folder: Path) -> dict[str, object]:
    """All that one seed does."""
    model, drawn, found = learn(seed, pretrained=True)
    if seed == 0:
        save_file({name: weight.half() for name, weight in model.state_dict().items()}, folder / "reader.safetensors")
    found |= {"more": one_more(model, seed), "windows": windows(model, seed)}
    draw = random.Random(seed)
    state = {name: weight.clone() for name, weight in model.state_dict().items()}
    half = [with_sentence(quiz, distractor(quiz, draw)) if draw.random() < 0.5 else quiz for quiz in drawn]
    tune(model, half, 300, seed)
    found["more, after training on distractors"] = one_more(model, seed)
    model.load_state_dict(state)
    tune(model, full_named(drawn, draw), 800, seed)
    found["library"] = retrieve_and_read(model, seed)
    if seed == 0:
        save_file({name: weight.half() for name, weight in model.state_dict().items()}, folder / "library.safetensors")
    return found


def how_many(pairs: Sequence[tuple[float, float]]) -> str:
    """In how many seeds the first number is smaller."""
    return f"{sum(first < second for first, second in pairs)} of {len(pairs)} seeds"


def tables(rows: Sequence[dict[str, dict]], scratch: Sequence[dict[str, dict]]) -> str:
    """All tables."""
    exam = Exam()
    parts = ["# Answers", circumstances(torch.device("cpu"))]
    best = [[name, f"{exam.best(which):.2f}"] for name, which in HIDDEN.items()]
    parts += ["## Ceilings", "The best possible score, computed exactly.", table(["hidden", "best possible"], best)]
    learned = []
    for arm, runs in (("pretrained", rows), ("from scratch", scratch)):
        if not runs:
            continue
        curves = [run["curve"] for run in runs]
        ends = spread([curve[-1][0] for curve in curves], ".2f")
        passed = [next((EVERY * at for at, (score, _) in enumerate(curve) if score > 0.8), None) for curve in curves]
        when = [str(step) for step in sorted(filter(None, passed))] or ["never"]
        seconds = spread([run["seconds"] for run in runs], ".0f")
        learned.append([arm, str(len(runs)), str(STEPS), ends, f"{sum(map(bool, passed))}", ", ".join(when), seconds])
    heading = ["start", "seeds", "steps", "score at the end", "above 0.8", "there at step", "seconds of one core"]
    parts += ["## Learning", "Median and range of the seeds.", table(heading, learned)]
    kinds = ["all", "with an answer", "without"]
    for title, key in (("One sentence more", "more"), ("After distractors", "more, after training on distractors")):
        lines = [
            [name, *(spread([row[key][name][i] for row in rows], ".2f") for i in range(3))] for name in rows[0][key]
        ]
        pairs = [
            (row[key]["another topic, at the beginning"][0], row[key]["a distractor, at the end"][0]) for row in rows
        ]
        text = f"Another topic at the beginning does more harm than a distractor at the end in {how_many(pairs)}."
        parts += [f"## {title}", f"Exact match; quizzes with a certain answer. {text}"]
        parts += [table(["passage", *kinds], lines)]
    lines = [
        [overlap, *(spread([row["windows"][overlap][i] for row in rows], ".2f") for i in range(6))]
        for overlap in rows[0]["windows"]
    ]
    heading = ["overlap", *kinds, *(f"{kind}, threshold chosen" for kind in kinds)]
    through = [row["windows"] for row in rows]
    more = {overlap: how_many([(each["0"][1], each[overlap][1]) for each in through]) for overlap in ("7", "13")}
    chosen = {overlap: how_many([(each[overlap][0], each[overlap][3]) for each in through]) for overlap in ("7", "13")}
    parts += [
        "## Windows",
        "Exact match, 14 pieces of the passage at a time. More answers are found than without overlap: with an overlap "
        f"of 7 in {more['7']}, of 13 in {more['13']}. The chosen threshold raises the total: with an overlap of 7 in "
        f"{chosen['7']}, of 13 in {chosen['13']}.",
        table(heading, lines),
    ]
    lines = [
        [k, *(spread([row["library"][what][k] for row in rows], ".2f") for what in ("recall", "exact"))]
        for k in rows[0]["library"]["recall"]
    ]
    given = spread([row["library"]["given"]["1"] for row in rows], ".2f")
    fewer = how_many([(row["library"]["exact"]["20"], row["library"]["exact"]["5"]) for row in rows])
    text = (
        f"With the right passage given, exact match is {given}. Twenty passages give fewer right answers than five in"
    )
    parts += ["## A hundred documents", f"{text} {fewer}; they may come from any passage."]
    return "\n\n".join([*parts, table(["passages read", "recall", "exact match"], lines)])


HIDDEN = {"nothing": None, "name": "name", "relation": "relation", "question": "question", "passage": "passage"}


def main() -> None:
    """Run seeds, each into a file; or write the tables, the curves and the reader."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="a folder for what each seed found")
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--scratch", action="store_true", help="from random weights, the learning alone")
    parser.add_argument("--write", metavar="NAME", help="write results/NAME.md, .csv and .safetensors")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.rows.mkdir(parents=True, exist_ok=True)
    for seed in asked.seeds:
        found = learn(seed, pretrained=False)[2] if asked.scratch else run_seed(seed, asked.rows)
        (asked.rows / f"{'scratch' if asked.scratch else 'pretrained'}{seed}.json").write_text(json.dumps(found))
        print(seed, found, flush=True)
    if asked.write:
        rows, scratch = (
            [json.loads(path.read_text()) for path in sorted(asked.rows.glob(f"{name}*.json"))]
            for name in ("pretrained", "scratch")
        )
        store(f"{asked.write}.md", tables(rows, scratch))
        with (RESULTS / f"{asked.write}.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["start", "seed", "step", "score", "score with the name hidden"])
            for arm, runs in (("pretrained", rows), ("from scratch", scratch)):
                for seed, run in enumerate(runs):
                    for at, scores in enumerate(run["curve"]):
                        writer.writerow([arm, seed, EVERY * at, *(f"{score:.4f}" for score in scores)])
        readers = {name: load_file(asked.rows / f"{name}.safetensors") for name in ("reader", "library")}
        weights = {f"{name}/{part}": weight for name, parts in readers.items() for part, weight in parts.items()}
        save_file(weights, RESULTS / f"{asked.write}.safetensors")


if __name__ == "__main__":
    main()
