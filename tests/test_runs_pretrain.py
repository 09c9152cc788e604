"""Pretraining as a function: it returns what it made, prints nothing, and goes on to the same end."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_texts import make_corpus

from bertmini import BertForMaskedLM, BertForPreTraining, Recipe, pretrain
from bertmini.config import PRESETS
from bertmini.runs.evaluate import evaluate
from bertmini.runs.pretrain import filled_examples, lengthen, make_recipe
from bertmini.runs.settings import TEXT_SETTINGS, WORLD_SETTINGS, PretrainingSettings, choose_settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> PretrainingSettings:
    corpus = make_corpus(tmp_path_factory.mktemp("text") / "animals.txt")
    small = {"preset": "nano", "max_length": 64, "vocab_size": 120, "batch_size": 16, "steps": 40, "threads": 1}
    return replace(TEXT_SETTINGS, corpus=str(corpus), **small)


def test_it_returns_what_it_leaves_and_resumes_to_the_same_weights(
    settings: PretrainingSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    run = pretrain(settings, whole, device="cpu", progress=False)
    assert capsys.readouterr() == ("", "")
    saved = BertForPreTraining.from_pretrained(whole).state_dict()
    assert all(torch.equal(saved[name], tensor) for name, tensor in run.model.state_dict().items())
    assert run.history.rows[-1]["held_out_mlm_loss"] < run.history.rows[0]["held_out_mlm_loss"] - 0.3

    evaluation, figures, note = evaluate(whole, settings.corpus)
    assert figures["held_out_mlm_loss"] == pytest.approx(run.history.rows[-1]["held_out_mlm_loss"], rel=1e-5)
    assert (evaluation.scored, note) == (run.materials.evaluation.scored, run.materials.note)
    examples = filled_examples(run, count=3)
    assert len(examples) == 3
    assert all(example.text.count("[MASK]") == 1 and len(example.guesses) == 3 for example in examples)

    shutil.copytree(whole, torn)
    for folder in sorted((torn / "checkpoints").iterdir())[1:]:  # as if killed after the last but one checkpoint
        shutil.rmtree(folder)
    (torn / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="already holds a run"):
        pretrain(settings, torn, device="cpu", progress=False)
    with pytest.raises(ValueError, match="was begun with steps 40, now it is to be 41"):
        pretrain(replace(settings, steps=41), torn, device="cpu", progress=False, resume=True)
    pretrain(settings, torn, device="cpu", progress=False, resume=True)
    resumed = BertForPreTraining.from_pretrained(torn).state_dict()
    assert all(torch.equal(resumed[name], saved[name]) for name in saved)


def test_the_recipe_has_all_that_the_settings_say() -> None:
    assert make_recipe(WORLD_SETTINGS) == Recipe(
        steps=2_000,
        learning_rate=8e-3,
        warmup=0.02,
        schedule="cosine",
        optimizer="muon",
        precision="float32",
        evaluate_every=100,
        checkpoint_every=100,
    )


def test_hidden_words_alone_and_on_from_a_checkpoint(settings: PretrainingSettings, tmp_path: Path) -> None:
    alone = replace(settings, words_only=True, optimizer="muon", schedule="constant")
    first = pretrain(alone, tmp_path / "first", device="cpu", progress=False)
    assert isinstance(first.model, BertForMaskedLM)
    assert "next_sentence_accuracy" not in first.history.rows[-1]
    reached = first.history.rows[-1]["held_out_mlm_loss"]
    figures = evaluate(tmp_path / "first", settings.corpus).figures
    assert figures["held_out_mlm_loss"] == pytest.approx(reached, rel=1e-5)

    asked = {"corpus": settings.corpus, "init": str(tmp_path / "first"), "words_only": True, "steps": 20, "threads": 1}
    onwards = choose_settings(asked | {"batch_size": 16, "dropout": 0.1})
    assert onwards.preset == "nano"
    second = pretrain(onwards, tmp_path / "second", device="cpu", progress=False)
    assert second.history.rows[0]["held_out_mlm_loss"] == pytest.approx(reached, abs=0.5)  # texts of 32, not 64 tokens
    assert second.history.rows[-1]["held_out_mlm_loss"] < second.history.rows[0]["held_out_mlm_loss"]
    assert second.materials.tokenizer.pieces == first.materials.tokenizer.pieces
    assert second.model.config.hidden_dropout_prob == 0.1


def test_new_positions_are_copies_and_old_ones_stay(tmp_path: Path) -> None:
    model = BertForMaskedLM(replace(PRESETS["nano"], vocab_size=99, max_position_embeddings=7))
    old = model.bert.embeddings.position.weight.detach().clone()
    lengthen(model, 5)
    assert model.config.max_position_embeddings == 7
    lengthen(model, 17)
    new = model.bert.embeddings.position.weight
    assert new.requires_grad
    assert new.equal(torch.cat([old, old, old[:3]]))
    model.save_pretrained(tmp_path)
    assert BertForMaskedLM.from_pretrained(tmp_path).config.max_position_embeddings == 17


def test_what_a_beginning_cannot_be_is_refused(settings: PretrainingSettings, tmp_path: Path) -> None:
    BertForPreTraining(replace(PRESETS["nano"], vocab_size=120)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="2 layers, 64 wide, which is preset nano; leave the preset out"):
        choose_settings({"init": str(tmp_path), "preset": "tiny"})
    with pytest.raises(ValueError, match="preset 'nano' takes 5 to 64"):
        choose_settings({"corpus": settings.corpus, "init": str(tmp_path), "max_length": 65})
    with pytest.raises(ValueError, match=r"has no config\.json"):
        choose_settings({"corpus": settings.corpus, "init": str(tmp_path / "nowhere")})
    with pytest.raises(ValueError, match="the microworld's texts are pairs"):
        choose_settings({"words_only": True})
    for corpus, message in (
        ("microworld", "another vocabulary than the microworld"),
        (settings.corpus, "--words-only"),
    ):
        with pytest.raises(ValueError, match=message):
            pretrain(choose_settings({"init": "english", "corpus": corpus, "steps": 1}), tmp_path / "new", device="cpu")
        assert not (tmp_path / "new" / "vocab.txt").exists()
