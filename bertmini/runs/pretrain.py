"""Pretrain a BERT from nothing: vocabulary, data, model, training, evaluation, all in one folder.

The folder is a Hugging Face checkpoint when the run has ended, and holds all that is needed to go on while it has not:
run.json (what was asked), the tokenizer, checkpoints/, log.csv, then config.json, model.safetensors and loss.png.
Taught in chapters 00 and 07.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from bertmini.runs.evaluation import Evaluation
from bertmini.runs.fill_mask import Guess, blank_out, fill_mask
from bertmini.runs.materials import Materials, evaluate_corpus, text_materials
from bertmini.runs.settings import MICROWORLD, Settings, store_settings
from bertmini.runs.world import WorldEvaluation, evaluate_world, world_materials
from bertmini.config import PRESETS, BertConfig
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import World
from bertmini.model.pretraining import BertForPreTraining
from bertmini.training import History, Recipe, pick_device, train
from bertmini.viz.plots import loss_curve
from bertmini.viz.style import save

EVALUATIONS = 20


class Run(NamedTuple):
    """A finished run: the model, what it was made of, and how training went."""

    model: BertForPreTraining
    materials: Materials
    history: History


def pretrain(
    settings: Settings, folder: Path, *, device: str = "auto", resume: bool = False, progress: bool = True
) -> Run:
    """Run, or go on with, the pretraining that `settings` describe, and leave the results in `folder`.

    Raises `ValueError` for what the user can mend, `OSError` for a full disk, `FloatingPointError` for a diverged run.
    """
    place, recipe = pick_device(device), make_recipe(settings)  # refuse what cannot be before anything is written
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    known = WordPieceTokenizer.from_pretrained(folder) if (folder / "vocab.txt").is_file() else None
    materials = world_materials(settings) if settings.corpus == MICROWORLD else text_materials(settings, known)
    store_settings(folder, settings)
    materials.tokenizer.save_pretrained(folder)
    model = build_model(settings, len(materials.tokenizer), materials.tokenizer.pad_id)
    history = train(
        model,
        materials.stream,
        recipe,
        device=place,
        evaluate=materials.evaluation,
        log=folder,
        checkpoints=folder / "checkpoints",
        resume=resume,
        progress=progress,
    )
    model.save_pretrained(folder)
    return Run(model, materials, history)


def open_evaluation(corpus: str, tokenizer: WordPieceTokenizer, max_length: int) -> tuple[Evaluation, str]:
    """Make the evaluation on a corpus's held-out part for a given tokenizer, and a note where nothing is held out."""
    if corpus == MICROWORLD:
        return evaluate_world(World.default(), tokenizer, max_length), ""
    return evaluate_corpus(corpus, tokenizer, max_length=max_length)


def build_model(settings: Settings, vocab_size: int, pad_token_id: int) -> BertForPreTraining:
    """Build the preset with its random weights, from the run's seed."""
    config: BertConfig = replace(
        PRESETS[settings.preset],
        vocab_size=vocab_size,
        pad_token_id=pad_token_id,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
    )
    torch.manual_seed(settings.seed)
    return BertForPreTraining(config)


def make_recipe(settings: Settings) -> Recipe:
    """Say how to train, with a checkpoint and an evaluation now and then."""
    every = max(1, settings.steps // EVALUATIONS)
    return Recipe(
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        schedule=settings.schedule,
        warmup=settings.warmup,
        optimizer=settings.optimizer,
        precision=settings.precision,
        evaluate_every=every,
        checkpoint_every=every,
    )


class Filled(NamedTuple):
    """A held-out example with a blank, what stood there, and the best guesses."""

    text: str
    hidden: str
    guesses: list[Guess]


def filled_examples(run: Run, count: int = 4) -> list[Filled]:
    """Blank out one word in each of a few held-out sentences, or pairs of them, and let the model guess."""
    tokenizer = run.materials.tokenizer
    blanks = [(*blank, pair) for text, pair in run.materials.examples if (blank := blank_out(text, tokenizer))]
    spread = blanks[:: max(1, len(blanks) // count)][:count]
    return [
        Filled(
            text if pair is None else f"{text} {pair}", hidden, fill_mask(run.model, tokenizer, text, pair, best=3)[0]
        )
        for text, hidden, pair in spread
    ]


def save_curve(run: Run, folder: Path) -> Path:
    """Draw the held-out loss, with what can be had without a model and, if it is known, the floor, into loss.png."""
    evaluation = run.materials.evaluation
    floor = evaluation.floor["held_out_mlm_loss"] if isinstance(evaluation, WorldEvaluation) else None
    picture = loss_curve(
        {"held out": run.history.column("held_out_mlm_loss")},
        floor=floor,
        baselines={"unigram": evaluation.baselines.unigram_loss},
        title="Masked language model on text that it has not seen",
    )
    path = folder / "loss.png"
    save(picture, path)
    return path
