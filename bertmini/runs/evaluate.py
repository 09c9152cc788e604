"""Measure a pretrained checkpoint on the held-out part of a corpus."""

from pathlib import Path
from typing import NamedTuple

import torch

from bertmini.microworld import World
from bertmini.model.pretrained import read_tensors
from bertmini.model.pretraining import BertForMaskedLM, BertForPreTraining
from bertmini.runs.held_out import Evaluation
from bertmini.runs.materials import evaluate_corpus
from bertmini.runs.opened import open_tokenizer
from bertmini.runs.settings import LONGEST, MICROWORLD
from bertmini.runs.world import evaluate_world


class Evaluated(NamedTuple):
    """What was measured, with the figures to compare with, and a note where nothing could be held out."""

    evaluation: Evaluation
    figures: dict[str, float]
    note: str


def evaluate(folder: Path, corpus: str) -> Evaluated:
    """Measure the checkpoint in `folder` on the held-out part of `corpus`, named as in `PretrainingSettings`.

    Raises `ValueError` for what is no pretraining checkpoint and for unusable text.
    """
    single = "nsp.weight" not in read_tensors(folder)
    model = (BertForMaskedLM if single else BertForPreTraining).from_pretrained(folder)
    tokenizer = open_tokenizer(folder, model.config)
    length = min(LONGEST, model.config.max_position_embeddings)
    if corpus == MICROWORLD:
        world = World.default()
        if tokenizer.pieces != world.vocabulary():
            raise ValueError(
                f"{folder} has a vocabulary of {len(tokenizer)} pieces that is not the microworld's: only a model that "
                "was pretrained there can be measured there; name a text with --corpus"
            )
        evaluation: Evaluation = evaluate_world(world, tokenizer, length)
        note = ""
    else:
        evaluation, note = evaluate_corpus(corpus, tokenizer, max_length=length, single=single)
    with torch.inference_mode():
        return Evaluated(evaluation, evaluation(model), note)
