"""See what a checkpoint's heads do with a sentence, a pair, or two texts side by side. Taught in chapter 13."""

from pathlib import Path

from bertmini.inside import ablate_heads, attend
from bertmini.model.encoder import BertModel
from bertmini.model.pretraining import BertForMaskedLM
from bertmini.runs.opened import open_tokenizer
from bertmini.viz.interactive.explorer import explore
from bertmini.viz.interactive.frame import Frame

TITLE = 60  # letters of the text that the page is named after


def explore_checkpoint(folder: Path, text: str, pair: str | None = None, *, beside: str | None = None) -> Frame:
    """Open the attention explorer on a text, or on a pair read together; `beside` is another text beside it.

    Where the text has a [MASK], the view also shows what the guess there becomes without each head.
    Raises `ValueError` for what is no checkpoint, a text that is empty or too long, and a view that is too large.
    """
    tokenizer = open_tokenizer(folder)
    masked = tokenizer.mask_token in f"{text} {pair}"
    # The encoder is all that attention needs; a pooler that the checkpoint lacks is never asked.
    model = BertForMaskedLM.from_pretrained(folder) if masked else BertModel.from_pretrained(folder, new_head=True)
    for one, other in [(text, pair), *([] if beside is None else [(beside, None)])]:
        count = len(tokenizer.encode(one, other).ids)
        if count > model.config.max_position_embeddings:
            most = model.config.max_position_embeddings
            raise ValueError(f"the text has {count} tokens, the model {most} positions; shorten it")
    seen = attend(model, tokenizer, text, pair)
    return explore(
        *seen,
        title=text if len(text) <= TITLE else f"{text[: TITLE - 1]}…",
        ablation=ablate_heads(model, tokenizer, seen.tokens, seen.second) if masked else (),
        beside=None if beside is None else attend(model.eval(), tokenizer, beside),
        names=(text, beside or ""),
    )
