"""`finetune tagging` as a user meets it, and a tagger at work: short real runs, beside transformers' pipeline."""

import json
import random
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
import transformers
from PIL import Image

from bertmini import (
    BertConfig,
    BertForPreTraining,
    BertForTokenClassification,
    TaggedWords,
    TaggingSettings,
    WordPieceTokenizer,
    batches_in_order,
    find_entities,
    finetune,
    predict_tags,
    tagging_rows,
)
from bertmini.cli import main
from bertmini.data.tagging import LABELLED, Labelled
from bertmini.metrics import entity_scores
from bertmini.runs.finetune import prepare
from bertmini.runs.settings import settle
from bertmini.runs.tag import TAGGING, Found, measure, word_scores

NAMES = ["ash", "hart", "nor"]
ENDS = ["##ton", "##ford", "##by"]
WORDS = ["the", "hired", "met", "in", "near", "works", "for", "and", ".", "ada", *NAMES, *ENDS]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
CONFIG = BertConfig(
    vocab_size=len(TOKENIZER),
    hidden_size=20,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=37,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    max_position_embeddings=23,
    initializer_range=0.2,
)
LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


class Files(NamedTuple):
    checkpoint: Path
    train: Path
    eval: Path


def sentences(count: int, seed: int) -> list[TaggedWords]:
    """A name is a person before or after *met*, a place after *in*: its pieces do not say which."""
    draw = random.Random(seed)

    def name() -> str:
        return draw.choice(NAMES) + draw.choice(ENDS)[2:]

    made = []
    for _ in range(count):
        first = draw.random() < 0.5
        words = (*(["ada"] if first else []), name(), "met", name(), "in", name(), ".")
        begin = ["B-PER", "I-PER"] if first else ["B-PER"]
        made.append(TaggedWords(words, (*begin, "O", "B-PER", "O", "B-LOC", "O")))
    return made


def write_conll(path: Path, made: list[TaggedWords]) -> Path:
    lines = ["\n".join(f"{word}\t{tag}" for word, tag in zip(*sentence, strict=True)) for sentence in made]
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("names")
    torch.manual_seed(0)
    BertForPreTraining(CONFIG).save_pretrained(folder / "checkpoint")
    TOKENIZER.save_pretrained(folder / "checkpoint")
    train = write_conll(folder / "train.conll", sentences(120, seed=1))
    return Files(folder / "checkpoint", train, write_conll(folder / "eval.conll", sentences(40, seed=2)))


def arguments(files: Files, out: Path, *more: str) -> list[str]:
    given = ["finetune", "tagging", str(files.checkpoint), "--train", str(files.train), "--eval", str(files.eval)]
    quick = ["--epochs", "1", "--batch-size", "8", "--learning-rate", "5e-3", "--device", "cpu", "--threads", "1"]
    return [*given, "--out", str(out), *quick, *more]


@pytest.fixture(scope="module")
def result(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results") / "names"
    assert main(arguments(files, out, "--epochs", "6", "--patience", "6", "--dropout", "0")) == 0
    return out


def test_it_learns_and_the_record_says_how(result: Path, files: Files) -> None:
    record = json.loads((result / "finetune.json").read_text())
    assert record["epochs"][record["best_epoch"]]["f1"] == max(epoch["f1"] for epoch in record["epochs"]) > 0.95
    assert record["epochs"][0]["f1"] < 0.5
    assert record["kinds"] == ["O", "LOC", "PER"]
    assert [score["label"] for score in record["entities"]] == ["LOC", "PER", "all"]
    assert [score["support"] for score in record["entities"]] == [40, 80, 120]
    assert sum(map(sum, record["confusion_matrix"])) == sum(len(words) for words, _ in sentences(40, seed=2))
    assert record["asked"]["labelled"] == "first"
    assert record["asked"]["train"] == str(files.train)
    picture = Image.open(result / "confusion.png").info["Description"]
    assert picture.startswith(f"Epoch {record['best_epoch']}: entity F1 ")


def test_the_saved_model_is_the_best_epoch(result: Path, files: Files) -> None:
    model = BertForTokenClassification.from_pretrained(result)
    assert model.config.labels == LABELS
    settings = settle(TaggingSettings(checkpoint=files.checkpoint, train=files.train, eval=files.eval))
    figures = measure(model.eval(), prepare(settings, TOKENIZER, TAGGING))
    record = json.loads((result / "finetune.json").read_text())
    best = record["epochs"][record["best_epoch"]]
    assert figures["held_out_f1"] == pytest.approx(best["f1"])
    assert figures["held_out_accuracy"] == pytest.approx(best["accuracy"])
    assert figures["held_out_loss"] == pytest.approx(best["loss"], abs=1e-5)
    made = sentences(40, seed=2)
    said = predict_tags(model, TOKENIZER, [words for words, _ in made])
    assert entity_scores(said, [tags for _, tags in made]).f1 == pytest.approx(best["f1"])


def test_hugging_faces_pipeline_gives_the_same_answers(result: Path) -> None:
    model = BertForTokenClassification.from_pretrained(result).eval()
    pipe = transformers.pipeline("token-classification", model=str(result), device="cpu")
    texts = ["ada hartford met norby in ashton .", "norton met hartby in norford .", "the ashford works for ada ."]
    for text in texts:
        batch = batches_in_order([{"input_ids": TOKENIZER.encode(text).ids}], pad_id=TOKENIZER.pad_id)[0]
        with torch.no_grad():
            probabilities = model(**batch).logits[0].softmax(-1)
        wanted = [
            (place, LABELS[int(row.argmax())], float(row.max()))
            for place, row in enumerate(probabilities)
            if row.argmax() and 0 < place < len(probabilities) - 1
        ]
        theirs = pipe(text)
        assert [(found["index"], found["entity"]) for found in theirs] == [found[:2] for found in wanted]
        assert [float(found["score"]) for found in theirs] == pytest.approx([found[2] for found in wanted], abs=1e-5)
        whole = transformers.pipeline("ner", model=str(result), device="cpu", aggregation_strategy="first")(text)
        ours = find_entities(model, TOKENIZER, text)
        assert [(found["entity_group"], found["start"], found["end"]) for found in whole] == [
            (found.kind, found.begin, found.end) for found in ours
        ]


def test_entities_of_a_text_stand_where_they_are_said_to(result: Path) -> None:
    model = BertForTokenClassification.from_pretrained(result)
    found = find_entities(model, TOKENIZER, "Ada  Hartford met Norby in Ashton.")
    assert found[0] == Found("PER", "Ada  Hartford", 0, 13)
    assert [each.text for each in found[1:]] == ["Norby", "Ashton"]
    assert [each.kind for each in found] == ["PER", "PER", "LOC"]
    assert find_entities(model, TOKENIZER, "") == []


@pytest.mark.parametrize("labelled", LABELLED)
def test_words_are_read_where_they_were_trained(labelled: Labelled, files: Files, tmp_path: Path) -> None:
    settings = TaggingSettings(
        checkpoint=files.checkpoint, train=files.train, eval=files.eval, labelled=labelled, epochs=4, batch_size=8,
        learning_rate=5e-3, dropout=0.0, threads=1,
    )  # fmt: skip
    tuned = finetune(settings, tmp_path / "out", device="cpu", progress=False)
    made = sentences(40, seed=2)
    said = predict_tags(tuned.model, TOKENIZER, [words for words, _ in made], labelled=labelled)
    assert entity_scores(said, [tags for _, tags in made]).f1 == pytest.approx(tuned.best.f1)
    assert tuned.best.f1 > 0.9


def test_words_that_are_cut_count_as_missed(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(files, tmp_path / "out", "--max-length", "7")) == 0
    printed = capsys.readouterr().out
    cut = sum(place is None for row in cut_places(7) for place in row)
    assert f"{cut} words of 40 evaluation sentences were not read: at most 7 tokens are" in printed
    record = json.loads((tmp_path / "out" / "finetune.json").read_text())
    towns = record["entities"][0]
    assert (towns["label"], towns["recall"], towns["support"]) == ("LOC", 0.0, 40)
    scores = word_scores(BertForTokenClassification(CONFIG_OF_LABELS).eval(), *cut_batch(7))
    assert all(float(words[-1].exp()[0]) == 1.0 for words in scores)


CONFIG_OF_LABELS = BertConfig(
    vocab_size=len(TOKENIZER), hidden_size=20, num_hidden_layers=1, num_attention_heads=4, intermediate_size=37,
    max_position_embeddings=23, labels=LABELS,
)  # fmt: skip


def cut_places(length: int) -> list[list[int | None]]:
    return tagging_rows(sentences(40, seed=2), TOKENIZER, LABELS, max_length=length).places


def cut_batch(length: int) -> tuple[list[dict[str, torch.Tensor]], list[list[int | None]]]:
    rows, places = tagging_rows(sentences(40, seed=2), TOKENIZER, LABELS, max_length=length)
    return batches_in_order(rows, pad_id=TOKENIZER.pad_id), places


def test_what_is_printed(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(files, tmp_path / "again")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Training a tagger from the weights of")
    record = json.loads((tmp_path / "again" / "finetune.json").read_text())
    (best,) = (line.split() for line in lines if "best, kept" in line)
    assert best[3] == f"{record['epochs'][record['best_epoch']]['f1']:.1%}"
    assert [line.split()[0] for line in lines if line.startswith("  ")][-4:] == ["LOC", "PER", "all", "words"]
    assert any("always O" in line and "not one entity" in line for line in lines)


MISTAKES = {
    "unseen": ("ashton\tB-ORG\n", "has the kind 'ORG', which"),
    "alike": ("ashton\tB-P\u0415R\n", "has the kind 'P\\u0415R', which looks like 'PER' of"),
    "no tags": ("ashton\n", "line 1 has 1 columns, expected a word and its tag"),
    "leaks": (None, "40 of 40 evaluation sentences also stand in the training file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_and_leaks_are_told(
    mistake: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, message = MISTAKES[mistake]
    bad = tmp_path / "bad.conll"
    if content is None:
        write_conll(bad, sentences(120, seed=1)[:40])
    else:
        bad.write_text(content, encoding="utf-8")
    assert main(arguments(files, tmp_path / "out", "--eval", str(bad))) == (0 if content is None else 2)
    captured = capsys.readouterr()
    assert message in (captured.out if content is None else captured.err)
    assert (tmp_path / "out").exists() == (content is None)


def test_a_training_file_without_entities_and_a_strange_way_of_labelling(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tmp_path / "plain.conll"
    plain.write_text("the\tO\n", encoding="utf-8")
    assert main(arguments(files, tmp_path / "out", "--train", str(plain))) == 2
    assert "all words of 1 sentences have the tag O" in capsys.readouterr().err
    assert main(arguments(files, tmp_path / "out", "--labelled", "middle")) == 2
    assert "labelled is 'middle'; choose one of first, all, last" in capsys.readouterr().err
