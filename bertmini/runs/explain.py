"""Take one guess of a checkpoint apart, by four methods side by side. Taught in chapter 14."""

from pathlib import Path

from bertmini.inside.explained import explain_guess
from bertmini.model.pretraining import BertForMaskedLM
from bertmini.runs.opened import open_tokenizer
from bertmini.viz.interactive.frame import Frame
from bertmini.viz.scores import score_page


def explain_checkpoint(folder: Path, text: str) -> Frame:
    """The page: which tokens the guess at the one [MASK] of `text` rests on, says each method.

    Raises `ValueError` for what is no checkpoint, a text without a [MASK] or with several, and one that is too long.
    """
    tokenizer = open_tokenizer(folder)
    model = BertForMaskedLM.from_pretrained(folder)
    count, most = len(tokenizer.encode(text).ids), model.config.max_position_embeddings
    if count > most:
        raise ValueError(f"the text has {count} tokens, the model {most} positions; shorten it")
    found = explain_guess(model, tokenizer, text)
    title = f"Why {found.guess} ({found.probability:.0%})? Four methods"
    return score_page(found.scores, found.tokens, title=title)
