"""Pretrain a BERT, from nothing or from a checkpoint: vocabulary, data, model, training, evaluation, in one folder.

The folder is a Hugging Face checkpoint when the run has ended, and holds all that is needed to go on while it has not:
run.json (what was asked), corpus.json (checksums of what is read), the tokenizer, checkpoints/, log.csv, then
config.json and model.safetensors.
Taught in chapters 00 and 07.
"""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from bertmini.config import PRESETS
from bertmini.data.corpora.sources import open_corpus
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.model.pretraining import BertForMaskedLM, BertForPreTraining
from bertmini.runs.fill_mask import Guess, blank_out, fill_mask
from bertmini.runs.folders import own_folder
from bertmini.runs.materials import Materials, text_materials
from bertmini.runs.opened import open_tokenizer
from bertmini.runs.settings import MICROWORLD, PretrainingSettings, refuse_another_run, store_settings
from bertmini.runs.texts import Texts, look_at, look_at_vocabulary, refuse_other_texts, store_texts
from bertmini.runs.world import world_materials
from bertmini.training.device import pick_device
from bertmini.training.log import History
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe
from bertmini.viz.plots import loss_curve
from bertmini.viz.style import save

EVALUATIONS = 20


class Run(NamedTuple):
    """A finished run: the model, what it was made of, and how training went."""

    model: BertForPreTraining | BertForMaskedLM
    materials: Materials
    history: History


def pretrain(
    settings: PretrainingSettings, folder: Path, *, device: str = "auto", resume: bool = False, progress: bool = True
) -> Run:
    """Run, or go on with, the pretraining that `settings` describe, and leave the results in `folder`.

    Raises `ValueError` for what the user can mend, such as a folder that holds something else, or a text that is not
    the one that the run was begun with; `OSError` for a full disk, `FloatingPointError` for a diverged run.
    """
    place, recipe = pick_device(device), make_recipe(settings)  # refuse what cannot be before anything is written
    with own_folder(folder):
        refuse_another_run(folder, settings, resume=resume)
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        materials, texts = read_materials(settings, folder)
        model = build_model(settings, len(materials.tokenizer), materials.tokenizer.pad_id)
        record(settings, materials, texts, folder)
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
        record(settings, materials, texts, folder)  # again: somebody may have removed the folder meanwhile
        model.save_pretrained(folder)
    return Run(model, materials, history)


def read_materials(settings: PretrainingSettings, folder: Path) -> tuple[Materials, Texts]:
    """Make what the run needs, with the vocabulary in `folder` or else in `init`, and checksums of text and vocabulary.

    Raises `ValueError` for a text or a vocabulary that has changed since the run was begun.
    """
    if settings.corpus == MICROWORLD:
        materials, texts = world_materials(settings), {}
        if settings.init is not None and open_tokenizer(settings.init).pieces != materials.tokenizer.pieces:
            raise ValueError(f"--init {settings.init} has another vocabulary than the microworld: choose its --corpus")
    else:
        known = None
        if (folder / "vocab.txt").is_file():
            known = WordPieceTokenizer.from_pretrained(folder)
        elif settings.init is not None:
            known = open_tokenizer(settings.init)
        corpus = open_corpus(settings.corpus)
        materials, texts = text_materials(settings, known, corpus), look_at(corpus)
    texts |= look_at_vocabulary(materials.tokenizer)
    refuse_other_texts(folder, texts)
    return materials, texts


def record(settings: PretrainingSettings, materials: Materials, texts: Texts, folder: Path) -> None:
    """Write down what was asked, what is read, and the vocabulary: all that it takes to go on."""
    store_settings(folder, settings)
    store_texts(folder, texts)
    materials.tokenizer.save_pretrained(folder)


def build_model(
    settings: PretrainingSettings, vocab_size: int, pad_token_id: int
) -> BertForPreTraining | BertForMaskedLM:
    """Build the preset with its random weights, from the run's seed, or take a checkpoint's size and weights."""
    kind = BertForMaskedLM if settings.words_only else BertForPreTraining
    rates: dict[str, Any] = {"hidden_dropout_prob": settings.dropout, "attention_probs_dropout_prob": settings.dropout}
    torch.manual_seed(settings.seed)
    if settings.init is not None:
        try:
            model = kind.from_pretrained(settings.init, **rates)
        except ValueError as error:
            if settings.words_only:
                raise
            raise ValueError(f"{error} (in Python); --words-only goes on without next-sentence prediction") from error
        lengthen(model, settings.max_length)
        return model
    config = replace(PRESETS[settings.preset], vocab_size=vocab_size, pad_token_id=pad_token_id, **rates)
    return kind(config)


def lengthen(model: BertForPreTraining | BertForMaskedLM, positions: int) -> None:
    """See that a model has so many positions; new ones begin as copies of its own, from the first on.

    What a head has learned of neighbours then holds among the new ones too, but for the places where copies meet
    (Beltagy et al. 2020, "Longformer", section 5, lengthen RoBERTa in this way).
    """
    table = model.bert.embeddings.position
    if table.num_embeddings < positions:
        rows = table.weight.detach()[torch.arange(positions) % table.num_embeddings]
        longer = torch.nn.Embedding(positions, model.config.hidden_size)
        longer.weight.data.copy_(rows)
        model.bert.embeddings.position = longer
        model.config = model.bert.config = replace(model.config, max_position_embeddings=positions)


def make_recipe(settings: PretrainingSettings) -> Recipe:
    """Say how to train: as the settings do, with a checkpoint and an evaluation now and then."""
    every = max(1, settings.steps // EVALUATIONS)
    shared = {field.name for field in fields(Recipe)} & {field.name for field in fields(settings)}
    return Recipe(**{name: getattr(settings, name) for name in shared}, evaluate_every=every, checkpoint_every=every)


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


def save_curve(run: Run, path: Path) -> None:
    """Draw the held-out loss, with what can be had without a model and, where it is known, the floor."""
    evaluation = run.materials.evaluation
    picture = loss_curve(
        {"held out": run.history.column("held_out_mlm_loss")},
        floor=evaluation.floor.get("held_out_mlm_loss"),
        baselines={"unigram": evaluation.baselines.unigram_loss},
        title="Masked language model on text that it has not seen",
    )
    save(picture, path)
