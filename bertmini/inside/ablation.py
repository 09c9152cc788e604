"""What a prediction becomes without a head: the head is cut while the model reads, and asked for its guess again.

What a head has mixed enters its layer through its own D inputs of the attention's output projection. With zeros there
the head says nothing, and everything else is as before (Michel, Levy and Neubig 2019, "Are sixteen heads really better
than one?", section 2.3, where a mask does it). A hook sets the zeros, so no weight is touched: it works in training,
too, and the gradients are those of the model without the head.

A prediction that stays when a head is cut does not prove the head idle: another head may stand in for it (chapter 14).

Shapes: S tokens, D head size, V vocabulary. Left out on purpose: a head's mean in place of zeros, other predictions
than those of a masked language model. Taught in chapter 13.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from bertmini.inside.attend import evaluating, inputs_of


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


@contextmanager
def without_heads(model: nn.Module, heads: Iterable[tuple[int, int]]) -> Iterator[None]:
    """Cut some heads, each a (layer, head), until the `with` block ends, however it ends.

    Works for ours and for Hugging Face's BERT, in training too; blocks may be nested, and their cuts add up. Raises
    `ValueError` for a head that does not exist, and for a model whose output projections are not found.
    """
    projections = output_projections(model)
    cut: dict[int, list[int]] = defaultdict(list)
    for layer, head in heads:
        if not 0 <= layer < len(projections) or not 0 <= head < projections[layer][1]:
            raise ValueError(
                f"there is no head {layer}.{head}: expected a layer below {len(projections)} and "
                f"a head below {projections[0][1]}"
            )
        cut[layer].append(head)
    with ExitStack() as hooks:
        for layer, silent in cut.items():
            projection, count = projections[layer]
            hook = projection.register_forward_pre_hook(_silencer(silent, count))
            hooks.callback(hook.remove)
        yield


def output_projections(model: nn.Module) -> list[tuple[nn.Module, int]]:
    """Each layer's output projection of attention, and how many heads share its inputs.

    An attention module is one with a map called `query`. Ours has the projection beside it, as `output`; Hugging
    Face's BERT has it one module higher, as `output.dense`. Raises `ValueError` if there is none.
    """
    found: list[tuple[nn.Module, int]] = []
    for module in model.modules():
        maps, output = getattr(module, "self", module), getattr(module, "output", None)
        if hasattr(maps, "query") and output is not None:
            heads: Any = getattr(maps, "heads", None) or maps.num_attention_heads
            found.append((getattr(output, "dense", output), int(heads)))
    if not found:
        raise ValueError(
            f"{type(model).__name__} has no attention with a 'query' and an 'output': expected one of ours, "
            "or Hugging Face's BERT"
        )
    return found


def _silencer(silent: Sequence[int], heads: int) -> Any:
    """A hook that puts zeros in place of what some heads have mixed, (..., H * D)."""

    def silence(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        joined, *others = inputs
        owner = torch.arange(joined.shape[-1], device=joined.device) // (joined.shape[-1] // heads)
        return joined.masked_fill(torch.isin(owner, owner.new_tensor(silent)), 0.0), *others

    return silence


def ablate_heads(
    model: nn.Module,
    tokenizer: Any,
    tokens: Sequence[str],
    second: int | None = None,
    *,
    places: Sequence[int] | None = None,
    best: int = 5,
) -> list[Ablation]:
    """Guess the pieces at some places of a text, each head cut in turn; without `places`, at every mask.

    Tokens and `second` are as `attend` returns them. `model` predicts pieces, and is left as it is. Raises `ValueError`
    for no such place, no mask to guess, and a model that does not predict pieces.
    """
    if places is None:
        places = [i for i, token in enumerate(tokens) if token == tokenizer.mask_token]
    if not places or not all(0 <= place < len(tokens) for place in places):
        raise ValueError(
            f"places are {list(places)}: expected some of the tokens 0 to {len(tokens) - 1}, or a [MASK] in the text"
        )
    inputs = inputs_of(model, tokenizer, tokens, second)
    without: list[list[Tensor]] = []
    with evaluating(model):
        whole = _predict(model, inputs, places)
        for layer, (_, heads) in enumerate(output_projections(model)):
            without.append([])
            for head in range(heads):
                with without_heads(model, [(layer, head)]):
                    without[-1].append(_predict(model, inputs, places))

    def guesses(number: int, probabilities: Tensor) -> Guesses:
        named = probabilities[number, : len(tokenizer)]  # a padded table has rows that are no piece's
        top = named.topk(min(best, len(named)))
        pieces = tokenizer.convert_ids_to_tokens(top.indices.tolist())
        return Guesses(pieces, top.values.tolist(), float(named[whole[number, : len(named)].argmax()]))

    return [
        Ablation(place, guesses(i, whole), [[guesses(i, cut) for cut in layer] for layer in without])
        for i, place in enumerate(places)
    ]


def _predict(model: nn.Module, inputs: dict[str, Tensor], places: Sequence[int]) -> Tensor:
    """The probability of every piece at the places, (places, V)."""
    output = model(**inputs)
    logits = getattr(output, "prediction_logits", getattr(output, "logits", None))
    if logits is None or logits.dim() != 3:
        raise ValueError(f"{type(model).__name__} predicts no pieces: expected BertForMaskedLM or BertForPreTraining")
    probabilities: Tensor = logits[0, list(places)].softmax(-1)
    return probabilities
