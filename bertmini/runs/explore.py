"""See what a checkpoint's heads do with a sentence, a pair, or two texts side by side. Taught in chapter 13."""

from collections.abc import Sequence
from pathlib import Path

from bertmini.inside import read_text
from bertmini.model.encoder import BertModel
from bertmini.model.pretraining import BertForMaskedLM
from bertmini.runs.opened import open_tokenizer
from bertmini.viz.interactive.explorer import explore
from bertmini.viz.interactive.frame import Frame

TITLE = 60  # letters of the text that the page is named after


def explore_checkpoint(
    folder: Path, text: str, pair: str | None = None, *, beside: str | None = None, also: Sequence[str] = ()
) -> Frame:
    """Open the attention explorer on a text, or on a pair read together.

    `beside` is another text beside it; `also` are other texts that the reader of the page may choose instead of it.

    Where a text has a [MASK], the view also shows what the guess there becomes without each head.
    Raises `ValueError` for what is no checkpoint, a text that is empty or too long, and a view that is too large.
    """
    tokenizer = open_tokenizer(folder)
    masked = any(tokenizer.mask_token in str(one) for one in (text, pair, beside, *also))
    # The encoder is all that attention needs; a pooler that the checkpoint lacks is never asked.
    model = BertForMaskedLM.from_pretrained(folder) if masked else BertModel.from_pretrained(folder, new_head=True)
    others = [*also, *([] if beside is None else [beside])]
    for one, other in [(text, pair), *((one, None) for one in others)]:
        count = len(tokenizer.encode(one, other).ids)
        if count > model.config.max_position_embeddings:
            most = model.config.max_position_embeddings
            raise ValueError(f"the text has {count} tokens, the model {most} positions; shorten it")
    title = _short(text)
    if also and beside is not None:
        raise ValueError("a text beside it and texts to choose from do not go together: give one or the other")
    if also:
        readings = [read_text(model, tokenizer, one) for one in also]
        names = [
            f"{number}. {_short(one)}" for number, one in enumerate((text, *also), 1)
        ]  # the same text twice is two
        return explore(dict(zip(names, [read_text(model, tokenizer, text, pair), *readings], strict=True)), title=title)
    shown = read_text(model, tokenizer, text, pair)
    if beside is None:
        return explore(shown, title=title)
    return explore(shown, beside=read_text(model, tokenizer, beside), names=(text, beside), title=title)


def _short(text: str) -> str:
    return text if len(text) <= TITLE else f"{text[: TITLE - 1]}…"
