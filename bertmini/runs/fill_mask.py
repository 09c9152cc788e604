"""Fill in the blanks: the most probable pieces at each [MASK]. Taught in chapter 00."""

from typing import NamedTuple

import torch

from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.model.pretraining import BertForMaskedLM, BertForPreTraining


class Guess(NamedTuple):
    """One candidate for a blank and its probability."""

    piece: str
    probability: float


def fill_mask(
    model: BertForMaskedLM | BertForPreTraining,
    tokenizer: WordPieceTokenizer,
    text: str,
    pair: str | None = None,
    *,
    best: int = 5,
) -> list[list[Guess]]:
    """Guess what stands at each [MASK] of a text or pair: for every mask, in order, the `best` pieces, best first.

    Each blank is filled for itself, given the text around all of them. Raises `ValueError` if the text has no [MASK] or
    is longer than the model has positions for.
    """
    encoding = tokenizer.encode(text, pair)
    ids = encoding.ids
    places = torch.tensor([place for place, piece in enumerate(ids) if piece == tokenizer.mask_id])
    if not len(places):
        raise ValueError(f"nothing to fill in: {text!r} has no [MASK]")
    if len(ids) > model.config.max_position_embeddings:
        raise ValueError(
            f"the text has {len(ids)} tokens, the model {model.config.max_position_embeddings} positions; shorten it"
        )
    device = next(model.parameters()).device
    with torch.inference_mode():
        inputs = torch.tensor([[ids], [encoding.type_ids]], device=device)
        output = model.eval()(*inputs, places=places.to(device))
    logits = output.prediction_logits if isinstance(model, BertForPreTraining) else output.logits  # (N, V)
    named = logits.softmax(dim=-1)[:, : len(tokenizer)]  # a padded table has rows that are no piece's
    top = named.topk(min(best, named.shape[1]))
    return [
        [Guess(tokenizer.pieces[i], p) for i, p in zip(pieces, probabilities, strict=True)]
        for pieces, probabilities in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


def blank_out(sentence: str, tokenizer: WordPieceTokenizer) -> tuple[str, str] | None:
    """Replace the longest whole-piece word in a sentence by [MASK]: returns the text and the hidden piece.

    None if no word of the sentence is one piece.
    """
    encoding = tokenizer.encode(sentence, add_special_tokens=False)
    alone = [
        place
        for place, piece in enumerate(encoding.tokens)
        if piece.isalpha() and encoding.word_ids.count(encoding.word_ids[place]) == 1
    ]
    if not alone:
        return None
    place = max(alone, key=lambda place: len(encoding.tokens[place]))
    begin, end = encoding.offsets[place]
    return f"{sentence[:begin]}[MASK]{sentence[end:]}", encoding.tokens[place]
