"""English on real files: fine-tuned, the same network from random weights, and the simplest baseline beside them.

    python benchmarks/real_files.py --tags TRAIN DEV TEST --classes TRAIN DEV TEST --answers FILE --write real_files.md

*Tags*, in CoNLL's columns: three epochs of 32, one learning rate that was not tuned; from scratch at most five seeds.
*Classes*, .tsv without heading, text and label in columns 1 and 2: learning rate chosen on DEV with the first seed.
*Answers*, SQuAD's format: five folds by passage, three of them to train on, one to choose by and one to test, each fold
with a seed of its own; three epochs at one learning rate that was not tuned.

A run keeps its best epoch by DEV, and TEST is used once. The model takes 64 tokens: passages are read through windows.
With --record FILE every run is written there when it is done, and a run that stands there is not done again.
"""

import argparse
import json
import random
import re
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from classification import fit_linear
from common import circumstances, publish, spread, table
from polarity import Score, each_seed, percent, read_record, recorded, score_bag, score_bert, write_record
from tagging import HEADING, columns, entity_texts, judged, look_up, make_gazetteer, right
from torch import Tensor

from bertmini import (
    AnsweringSettings,
    BertModel,
    FinetuningSettings,
    LabelledText,
    Question,
    TaggedWords,
    TaggingSettings,
    WordPieceTokenizer,
    batches_in_order,
    classification_rows,
    finetune,
    label_names,
    predict_tags,
    read_answers,
    read_conll,
    read_labelled,
    read_squad,
)
from bertmini.answer_scores import AnswerScores, answer_scores
from bertmini.files import find_checkpoint
from bertmini.metrics import accuracy, entity_scores

ENGLISH, LONGEST, STRIDE = "english", 64, 20
FROZEN_PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1)
FOLDS, ANSWER_RATE = 5, 3e-4
SENTENCE = re.compile(r"[^.!?]+[.!?]*")
SYSTEMS = {"from scratch": True, "English": False}

Recorded = Callable[[str, Callable[[], Any]], Any]


def tune(settings: Any) -> tuple[Any, float]:
    """Fine-tune as the command does, into a folder that is thrown away: the result, and its seconds."""
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = finetune(settings, Path(folder) / "result", device="cpu", progress=False)
    return result, time.perf_counter() - begin


def seconds(runs: Sequence[dict[str, Any]]) -> str:
    """Write how long runs took."""
    return spread([run["seconds"] for run in runs], ".0f")


def mean_and_deviation(numbers: Sequence[float]) -> str:
    """Their mean, and the standard deviation of the sample."""
    return f"{statistics.mean(numbers):.3f} ± {statistics.stdev(numbers):.3f}"


# ---- tags ----


def report_tags(paths: Sequence[Path], seeds: int, run_once: Recorded) -> str:
    """Compare with a gazetteer of the training file's names."""
    parts = [read_conll(path) for path in paths]
    settings = TaggingSettings(
        checkpoint=find_checkpoint(ENGLISH), train=paths[0], eval=paths[1], epochs=3, learning_rate=1e-3,
        max_length=LONGEST, threads=1,
    )  # fmt: skip
    tokenizer, truth = WordPieceTokenizer.from_pretrained(ENGLISH), [tags for _, tags in parts[2]]

    def one(seed: int, scratch: bool) -> dict[str, Any]:
        result, took = tune(replace(settings, seed=seed, from_scratch=scratch))
        said = predict_tags(result.model, tokenizer, [words for words, _ in parts[2]])
        kinds = {kind: entity_scores(said, truth, kind).f1 for kind in result.kinds[1:]}
        test = judged(result.model, tokenizer, parts[2])
        return {**test, "dev": result.best.f1, "kinds": kinds, "seconds": took}

    rows, means = simple_taggers(parts)
    for name, scratch in SYSTEMS.items():
        tried = range(min(seeds, 5) if scratch else seeds)
        runs = [run_once(f"tags {name} {seed}", lambda a=(seed, scratch): one(*a)) for seed in tried]
        rows.append([name, *columns(runs), seconds(runs)])
        means.append([name, *(mean_and_deviation([run[part] for run in runs]) for part in ("dev", "f1"))])
    known = {words for sentence in parts[0] for words in entity_texts(sentence)}
    asked = [words for sentence in parts[2] for words in entity_texts(sentence)]
    of_kinds = [[kind, spread([run["kinds"][kind] for run in runs], ".3f")] for kind in runs[0]["kinds"]]
    return "\n\n".join(
        [
            f"## Tags: {paths[0].parent.name}",
            f"{sizes_of(parts)} sentences to train on, to choose by and to test. Of the test's {len(asked):,} names "
            f"{sum(name in known for name in asked) / len(asked):.0%} also stand in the training file. Median and "
            "range over seeds.",
            table([*HEADING, "seconds"], rows),
            f"Entity F1 by the file to choose by (best epoch) and by the test, mean and deviation of {seeds} seeds, "
            f"from scratch {min(seeds, 5)}:",
            table(["tagger", "development", "test"], means),
            "English, by kind:",
            table(["kind", "entity F1"], of_kinds),
        ]
    )


def simple_taggers(parts: Sequence[Sequence[TaggedWords]]) -> tuple[list[list[str]], list[list[str]]]:
    """Always O and the gazetteer: their rows of the two tables."""
    names = make_gazetteer(parts[0])
    rows, means = [], []
    for title, book in {"always O": {(): ""}, "gazetteer": names}.items():  # () stands in no sentence
        said = [[look_up(words, book) for words, _ in part] for part in parts[1:]]
        truth = [[tags for _, tags in part] for part in parts[1:]]
        dev, test = (entity_scores(*pair).f1 for pair in zip(said, truth, strict=True))
        rows.append([title, *columns([{"words": right(said[1], truth[1]), "f1": test}]), ""])
        means.append([title, f"{dev:.3f}", f"{test:.3f}"])
    return rows, means


def sizes_of(parts: Sequence[Sequence[Any]]) -> str:
    """Write how many examples the files have."""
    return ", ".join(f"{len(part):,}" for part in parts)


# ---- classes ----


@torch.inference_mode()
def frozen_features(examples: Sequence[LabelledText], labels: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Take the mean of a text's last states, the model left as it is: (N, E), and the classes (N,)."""
    encoder = BertModel.from_pretrained(ENGLISH, new_head=True)  # a pooler that it lacks is not asked
    tokenizer = WordPieceTokenizer.from_pretrained(ENGLISH)
    rows = classification_rows(examples, tokenizer, labels, max_length=LONGEST)
    means, classes = [], []
    for batch in batches_in_order(rows, pad_id=tokenizer.pad_id):
        mask = batch["attention_mask"]
        states = encoder(batch["input_ids"], attention_mask=mask).last_hidden_state
        means.append((states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))
        classes.append(batch["labels"])
    return torch.cat(means), torch.cat(classes)


def score_frozen(files: Sequence[Sequence[LabelledText]]) -> Score:
    """Fit logistic regression on the frozen states; choose the penalty on the second file, test on the third."""
    labels = label_names(files[0])
    parts = [frozen_features(examples, labels) for examples in files]
    mean, scale = parts[0][0].mean(0), parts[0][0].std(0)
    inputs = [(states - mean) / scale for states, _ in parts]
    found = {}
    for penalty in FROZEN_PENALTIES:
        weight, bias = fit_linear(inputs[0].clone(), parts[0][1].clone(), len(labels), penalty)
        found[penalty] = [
            accuracy((states @ weight + bias).argmax(1), classes)
            for states, (_, classes) in zip(inputs[1:], parts[1:], strict=True)
        ]
    best = max(FROZEN_PENALTIES, key=lambda penalty: found[penalty][0])
    recipe = f"mean of the last states; penalty {best:g} of {', '.join(f'{one:g}' for one in FROZEN_PENALTIES)}"
    return Score("frozen, logistic regression", recipe, [found[best][0]], [found[best][1]])


def report_classes(paths: Sequence[Path], seeds: int, record: Path | None) -> str:
    """Compare with a bag of words and with frozen states."""
    files = [read_labelled(path, text="1", label="2") for path in paths]
    settings = FinetuningSettings(
        checkpoint=find_checkpoint(ENGLISH), train=paths[0], eval=paths[1], text_column="1", label_column="2",
        epochs=6, max_length=LONGEST, threads=1,
    )  # fmt: skip
    scratch, dropouts = replace(settings, from_scratch=True), (settings.dropout,)
    systems = {
        "words": lambda: score_bag(files, 1),
        "frozen": lambda: score_frozen(files),
        "pretrained": lambda: score_bert(settings, files[2], seeds, record, dropouts),
        "scratch": lambda: score_bert(scratch, files[2], seeds, record, dropouts),
    }
    scores: list[Score] = [recorded(name, system, record) for name, system in systems.items()]
    rows = [[one.name, percent(one.dev), percent(one.test), each_seed(one.test), one.recipe] for one in scores]
    error = (0.75 * 0.25 / len(files[2])) ** 0.5
    return "\n\n".join(
        [
            f"## Classes: {paths[0].parent.name}",
            f"{sizes_of(files)} sentences to train on, to choose by and to test. Mean and deviation over {seeds} "
            f"seeds; so many test sentences leave a standard error of {100 * error:.1f} points besides.",
            table(["system", "dev, %", "test, %", "each seed", "chosen on dev"], rows),
        ]
    )


# ---- answers ----


def folds(questions: Sequence[Question], seed: int = 0) -> list[list[Question]]:
    """Deal the passages out to folds; all questions of a passage stay together."""
    passages = list(dict.fromkeys(question.passage for question in questions))
    random.Random(seed).shuffle(passages)
    fold = {passage: number % FOLDS for number, passage in enumerate(passages)}
    return [[question for question in questions if fold[question.passage] == number] for number in range(FOLDS)]


def write_squad(questions: Sequence[Question], path: Path) -> None:
    """Write questions in SQuAD's format."""
    paragraphs = [
        {
            "context": one.passage,
            "qas": [
                {
                    "id": one.id,
                    "question": one.question,
                    "answers": [{"text": gold.text, "answer_start": gold.begin} for gold in one.answers],
                }
            ],
        }
        for one in questions
    ]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")


def score_answers(said: Sequence[str], questions: Sequence[Question]) -> AnswerScores:
    """Score answers; no threshold, since every question has one."""
    return answer_scores(said, [[gold.text for gold in question.answers] for question in questions])


def likeliest_sentence(question: Question) -> str:
    """Choose the sentence of the passage that shares most of its words with the question."""
    asked = set(re.findall(r"\w+", question.question.lower()))
    return max(
        SENTENCE.findall(question.passage), key=lambda text: len(asked & set(re.findall(r"\w+", text.lower())))
    ).strip()


def likeliest_name(question: Question) -> str:
    """Choose in that sentence the longest run of capitals and figures that the question does not have."""
    runs = re.findall(r"(?:\b(?:[A-Z]\w*|\d[\d,.]*\b)\s?)+", likeliest_sentence(question))
    new = [run.strip() for run in runs if run.strip() not in question.question]
    return max(new, key=len, default="")


def report_answers(path: Path, run_once: Recorded) -> str:
    """Compare with two rules that need no training."""
    questions = read_squad(path)
    parts, tokenizer = folds(questions), WordPieceTokenizer.from_pretrained(ENGLISH)

    def read_fold(fold: int, scratch: bool) -> dict[str, Any]:
        test, dev = parts[fold], parts[(fold + 1) % FOLDS]
        given = [question for other in range(2, FOLDS) for question in parts[(fold + other) % FOLDS]]
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder) / "train.json", Path(folder) / "dev.json"
            for some, file in zip((given, dev), files, strict=True):
                write_squad(some, file)
            settings = AnsweringSettings(
                checkpoint=find_checkpoint(ENGLISH), train=files[0], eval=files[1], epochs=3, patience=3,
                learning_rate=ANSWER_RATE, max_length=LONGEST, stride=STRIDE, threads=1, seed=fold,
                from_scratch=scratch,
            )  # fmt: skip
            result, took = tune(settings)
        readings = read_answers(result.model, tokenizer, test, max_length=LONGEST, stride=STRIDE)
        said = [reading.answer(-float("inf")) for reading in readings]
        scores = score_answers(said, test)
        return {"dev": result.best.f1, "exact": scores.exact, "f1": scores.f1, "said": said, "seconds": took}

    rows = []
    for name, rule in {"the likeliest sentence": likeliest_sentence, "a new name in it": likeliest_name}.items():
        scores = score_answers([rule(question) for question in questions], questions)
        rows.append([name, f"{scores.exact:.3f}", f"{scores.f1:.3f}", "", ""])
    in_order = [question for part in parts for question in part]
    for name, scratch in SYSTEMS.items():
        runs = [run_once(f"answers {name} {fold}", lambda a=(fold, scratch): read_fold(*a)) for fold in range(FOLDS)]
        scores = score_answers([text for each in runs for text in each["said"]], in_order)
        of_folds = ", ".join(f"{each['f1']:.3f}" for each in runs)
        rows.append([name, f"{scores.exact:.3f}", f"{scores.f1:.3f}", of_folds, seconds(runs)])
    passages = len({question.passage for question in questions})
    return "\n\n".join(
        [
            f"## Answers: {path.name}",
            f"{len(questions):,} questions about {passages:,} passages; each is answered by a reader that has learned "
            f"from three other fifths. Windows of {LONGEST} tokens, {STRIDE} apart.",
            table(["reader", "exact match", "F1", "F1, fold by fold", "seconds"], rows),
        ]
    )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    three = ("TRAIN", "DEV", "TEST")
    parser.add_argument("--tags", type=Path, nargs=3, metavar=three)
    parser.add_argument("--classes", type=Path, nargs=3, metavar=three)
    parser.add_argument("--answers", type=Path, metavar="FILE")
    parser.add_argument("--tag-seeds", type=int, default=10)
    parser.add_argument("--class-seeds", type=int, default=3)
    parser.add_argument("--record", type=Path, help="a file of runs that are done, or will be")
    parser.add_argument("--write", metavar="NAME", help="store the report under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)

    def run_once(name: str, run: Callable[[], Any]) -> Any:
        done = read_record(asked.record).get(name)
        if done is None:
            done = run()
            print(name, {key: value for key, value in done.items() if key != "said"}, flush=True)
            write_record(asked.record, name, done)
        return done

    parts = [f"# English on real files\n\n{circumstances(torch.device('cpu'))}."]
    if asked.tags:
        parts.append(report_tags(asked.tags, asked.tag_seeds, run_once))
    if asked.classes:
        parts.append(report_classes(asked.classes, asked.class_seeds, asked.record))
    if asked.answers:
        parts.append(report_answers(asked.answers, run_once))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = max(peak, read_record(asked.record).get("MiB", 0))  # runs that were on record needed theirs, too
    write_record(asked.record, "MiB", peak)
    publish("\n\n".join([*parts, f"At most {peak:,.0f} MiB of memory."]), asked.write)


if __name__ == "__main__":
    main()
