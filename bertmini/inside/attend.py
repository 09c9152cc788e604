"""What a model attends to in a text: a model and a sentence become arrays, tokens, and where the second one begins.

A model and a tokenizer arrive as they are, ours or Hugging Face's: this room knows neither. A tokenizer needs
`tokenize`, `convert_tokens_to_ids`, `cls_token` and `sep_token`; a model takes `input_ids`, `token_type_ids` and
`output_attentions=True`, and returns something with `attentions`.

Shapes: S tokens. Taught in chapter 13.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bertmini.inside.weights import Weights, check_attention


class Attended(NamedTuple):
    """Attention (layers, heads, S, S) between tokens, and where the second of two sentences begins."""

    attentions: Weights
    tokens: list[str]
    second: int | None


def attend(model: Any, tokenizer: Any, text: str, pair: str | None = None) -> Attended:
    """What every head of `model` does with a sentence or a pair, dropout off; the model is left as it was.

    Gives the weights (layers, heads, S, S), in float64, the S tokens, and at which of them the second sentence begins.
    The views take it whole: `head_view(*attend(model, tokenizer, "the cat sat"))`. Raises `ValueError` as
    `check_attention` does, for an empty text, and for more tokens than the model has positions for.
    """
    tokens, second = lay_out_text(tokenizer, text, pair)
    with evaluating(model):
        output = model(**inputs_of(model, tokenizer, tokens, second), output_attentions=True)
    return Attended(check_attention(output.attentions, tokens), tokens, second)


def lay_out_text(tokenizer: Any, text: str, pair: str | None = None) -> tuple[list[str], int | None]:
    """The tokens of a sentence or a pair as BERT reads them, and where the second sentence begins.

    Raises `ValueError` for an empty text.
    """
    if not text.strip():
        raise ValueError("the text is empty: expected a sentence, such as 'the cat sat'")
    tokens = [tokenizer.cls_token, *tokenizer.tokenize(text), tokenizer.sep_token]
    if pair is None:
        return tokens, None
    return [*tokens, *tokenizer.tokenize(pair), tokenizer.sep_token], len(tokens)


def inputs_of(model: Any, tokenizer: Any, tokens: Sequence[str], second: int | None) -> dict[str, Tensor]:
    """Ids and segments (1, S) of tokens, on the model's device, by the names that ours and Hugging Face's take."""
    device = next(model.parameters()).device
    types = [int(second is not None and place >= second) for place in range(len(tokens))]
    return {
        "input_ids": torch.tensor([tokenizer.convert_tokens_to_ids(list(tokens))], device=device),
        "token_type_ids": torch.tensor([types], device=device),
    }


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Dropout and gradients off for a while; every module's mode is put back, also after an error."""
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training
