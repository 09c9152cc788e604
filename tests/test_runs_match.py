"""`finetune matching` and `search` as a user meets them."""

import itertools
import json
from pathlib import Path

import pytest
import torch

from bertmini import BertConfig, BertForPreTraining, WordPieceTokenizer
from bertmini.cli import main
from bertmini.data.matching import Match, read_matches
from bertmini.model.sentences import BertForSentences
from bertmini.runs.match import embed, held_out_score, likeness_of_words, search_texts

ANIMALS = ["seal", "fox", "owl", "hare", "crab", "wren", "goat", "mole"]
NAMES = ["selkie", "reynard", "strix", "puss", "decapod", "jenny", "billy", "digger"]
VERBS = ["swims", "runs", "sleeps", "eats", "waits"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", *ANIMALS, *NAMES, *VERBS]
TOKENIZER = WordPieceTokenizer.from_vocab(VOCABULARY)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matches")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(TOKENIZER),
        hidden_size=20,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=37,
        max_position_embeddings=16,
    )
    BertForPreTraining(config).save_pretrained(folder / "start")
    TOKENIZER.save_pretrained(folder / "start")
    lines = [f"{animal} {verb}\t{name} {verb}" for animal, name in zip(ANIMALS, NAMES, strict=True) for verb in VERBS]
    (folder / "train.tsv").write_text("\n".join(["text\tpair", *lines[:32]]) + "\n")
    (folder / "eval.tsv").write_text("\n".join(["text\tpair", *lines[::5]]) + "\n")
    couples = itertools.product(ANIMALS, ANIMALS[:2], VERBS[:2])
    graded = [f"{one} {verb}\t{other} {verb}\t{float(one == other)}" for one, other, verb in couples]
    (folder / "graded.tsv").write_text("\n".join(["text\tpair\tscore", *graded]) + "\n")
    (folder / "homes.txt").write_text("The seal swims.\nThe seal eats.\n\nThe fox runs.\nThe fox waits.\n")
    return folder


def command(files: Path, out: Path, *more: str, train: str = "train.tsv", evaluate: str = "eval.tsv") -> list[str]:
    asked = ["finetune", "matching", f"{files}/start", "--train", f"{files}/{train}", "--eval", f"{files}/{evaluate}"]
    common = ["--out", str(out), "--threads", "1", "--device", "cpu", "--learning-rate", "0.01", "--batch-size", "8"]
    return [*asked, *common, "--dropout", "0", *more]


@pytest.fixture(scope="module")
def result(files: Path) -> Path:
    assert main(command(files, files / "out", "--epochs", "12", "--patience", "12")) == 0
    return files / "out"


def test_it_learns_and_the_record_is_what_the_saved_model_gives(result: Path, files: Path) -> None:
    record = json.loads((result / "finetune.json").read_text())
    model, tokenizer = BertForSentences.from_pretrained(result), WordPieceTokenizer.from_pretrained(result)
    matches = read_matches(files / "eval.tsv")
    one, other = (
        torch.nn.functional.normalize(embed(model, tokenizer, [match[i] for match in matches]), dim=1) for i in (0, 1)
    )
    best = record["epochs"][record["best_epoch"]]
    assert best["score"] == pytest.approx(held_out_score(one @ other.T, matches))
    assert best["score"] == max(epoch["score"] for epoch in record["epochs"])
    assert best["score"] > record["epochs"][0]["score"]
    assert record["common_words"] == pytest.approx(1 / 8)  # they all share the verb: a coin of eight decides
    assert (result / "scores.png").read_bytes()[:4] == b"\x89PNG"


def test_scores_are_learned_too(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--score-column", "score", "--epochs", "2"]
    assert main(command(files, tmp_path / "out", *more, train="graded.tsv", evaluate="graded.tsv")) == 0
    printed = capsys.readouterr().out
    assert "Spearman's correlation" in printed
    assert "32 of 32 evaluation matches also stand in the training file" in printed
    assert f"Scores by epoch: {tmp_path / 'out' / 'scores.png'}" in printed


def test_search_finds_the_nearest(result: Path, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", str(result), str(files / "homes.txt"), "reynard runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert float(lines[0].split()[0]) >= float(lines[1].split()[0])
    assert main(["search", f"{files}/start", str(files / "homes.txt"), "reynard runs"]) == 0
    assert "has not been taught to match texts" in capsys.readouterr().out


def test_cosines_of_a_checkpoint_that_was_taught_are_its_vectors(result: Path) -> None:
    texts = ["seal swims", "fox runs", "owl sleeps"]
    hits, taught = search_texts(result, texts, "reynard runs", k=3)
    model, tokenizer = BertForSentences.from_pretrained(result), WordPieceTokenizer.from_pretrained(result)
    vectors = torch.nn.functional.normalize(embed(model, tokenizer, [*texts, "reynard runs"]), dim=1)
    assert taught
    assert [hit.cosine for hit in hits] == pytest.approx([float(vectors[hit.text] @ vectors[3]) for hit in hits])


def test_ties_are_decided_by_a_coin_and_scores_by_ranks() -> None:
    pairs = [Match("a", "b"), Match("c", "d")]
    assert held_out_score(torch.tensor([[1.0, 1.0], [0.0, 2.0]]), pairs) == 0.75
    graded = [Match("seal", "seal", None, 3.0), Match("seal", "fox", None, 1.0), Match("owl seal", "seal", None, 2.0)]
    assert likeness_of_words(graded).diagonal().tolist() == [1.0, 0.0, 0.5]
    assert held_out_score(likeness_of_words(graded), graded) == pytest.approx(1.0)


def test_shared_partners_are_told(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "twice.tsv").write_text("text\tpair\nseal runs\tfox runs\nowl runs\tfox runs\n")
    asked = command(files, tmp_path / "out", "--epochs", "1")
    asked[asked.index("--train") + 1] = str(tmp_path / "twice.tsv")
    assert main(asked) == 0
    assert "1 training texts share a partner with another" in capsys.readouterr().out
