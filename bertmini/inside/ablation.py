"""What a prediction becomes without a head: each head in turn is cut, and the model is asked again.

A head's mixed values enter the layer through their own columns of the attention's output projection. With these columns
at zero the head says nothing, and everything else is as before (Michel, Levy and Neubig 2019, "Are sixteen heads really
better than one?", section 2.3, with a mask in place of the columns). It is done on a copy of the model.

A prediction that stays when a head is cut does not prove the head idle: another head may stand in for it (chapter 14).

Shapes: S tokens, D head size, V vocabulary. Left out on purpose: cutting several heads at once, other heads than the
masked-language-model head. Taught in chapter 13.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Guesses(NamedTuple):
    """The best pieces at one place, best first, and their probabilities."""

    pieces: list[str]
    probabilities: list[float]
    first: float
    """The probability of the piece that the whole model puts first."""


class Ablation(NamedTuple):
    """Guesses at one place, by the whole model and without each head, by layer and head."""

    place: int
    whole: Guesses
    without: list[list[Guesses]]


def ablate_heads(
    model: nn.Module,
    tokenizer: Any,
    tokens: Sequence[str],
    second: int | None = None,
    *,
    places: Sequence[int] | None = None,
    best: int = 5,
) -> list[Ablation]:
    """Guess the pieces at some places of a text, each head cut in turn; without ``places``, at every mask.

    Tokens and ``second`` are as `attend` returns them. ``model`` is one of ours that predicts pieces; it is left as it
    is.

    Raises:
        ValueError: no such place, no mask to guess, or a model that does not predict pieces.
    """
    if places is None:
        places = [i for i, token in enumerate(tokens) if token == tokenizer.mask_token]
    if not places or not all(0 <= place < len(tokens) for place in places):
        raise ValueError(
            f"places are {list(places)}: expected some of the tokens 0 to {len(tokens) - 1}, or a [MASK] in the text"
        )
    model = copy.deepcopy(model).eval()
    device = next(model.parameters()).device
    ids = torch.tensor([tokenizer.convert_tokens_to_ids(list(tokens))], device=device)
    types = torch.tensor([[int(second is not None and i >= second) for i in range(len(tokens))]], device=device)
    whole = _predict(model, ids, types, places)
    without: list[list[Tensor]] = []
    for projection, heads in _projections(model):
        without.append([])
        for head in range(heads):
            with _cut(projection, head, heads):
                without[-1].append(_predict(model, ids, types, places))

    def guesses(number: int, probabilities: Tensor) -> Guesses:
        top = probabilities[number].topk(min(best, probabilities.shape[-1]))
        pieces = tokenizer.convert_ids_to_tokens(top.indices.tolist())
        return Guesses(pieces, top.values.tolist(), float(probabilities[number, whole[number].argmax()]))

    return [
        Ablation(place, guesses(i, whole), [[guesses(i, cut) for cut in layer] for layer in without])
        for i, place in enumerate(places)
    ]


def _predict(model: nn.Module, ids: Tensor, types: Tensor, places: Sequence[int]) -> Tensor:
    """The probability of every piece at the places, (places, V)."""
    with torch.no_grad():
        output = model(ids, types)
    logits = getattr(output, "prediction_logits", getattr(output, "logits", None))
    if logits is None or logits.dim() != 3:
        raise ValueError(f"{type(model).__name__} predicts no pieces: expected BertForMaskedLM or BertForPreTraining")
    probabilities: Tensor = logits[0, list(places)].softmax(-1)
    return probabilities


def _projections(model: nn.Module) -> list[tuple[nn.Linear, int]]:
    """Each layer's output projection of attention, and how many heads share its columns."""
    attentions = [module for module in model.modules() if hasattr(module, "query") and hasattr(module, "heads")]
    return [(module.output, module.heads) for module in attentions]  # type: ignore[misc]


@contextmanager
def _cut(projection: nn.Linear, head: int, heads: int) -> Iterator[None]:
    """Silence one head for a while: its D columns are zero."""
    size = projection.in_features // heads
    columns = projection.weight.data[:, head * size : (head + 1) * size]
    kept = columns.clone()
    columns.zero_()
    try:
        yield
    finally:
        columns.copy_(kept)
