"""What is to be explained: one number that a model gives, and the places where one can reach into the model.

Every method of chapter 14 explains a *score*: a function from a model's output to one number per row, such as the
log-probability of one piece at one place. A model is reached by hooks alone, at its word embeddings, at its layers'
outputs and at what a linear map is given; no weight is touched, and everything comes back when the `with` block ends.

Works for ours and for Hugging Face's BERT. Shapes: B rows, S tokens, E hidden. Taught in chapter 14.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bertmini.inside.attend import evaluating

Score = Callable[[Any], Tensor]
Inputs = Mapping[str, Tensor]
Array = NDArray[np.float64]


def log_probability(place: int, piece: int) -> Score:
    """The score "how probable is this piece at this place?", in nats: for models that predict pieces."""

    return lambda output: predicted(output)[:, place].log_softmax(-1)[:, piece]


def predicted(output: Any) -> Tensor:
    """The logits (B, S, V) of a model that predicts pieces; `ValueError` if there are none."""
    logits: Tensor | None = getattr(output, "prediction_logits", getattr(output, "logits", None))
    if logits is None or logits.dim() != 3:
        raise ValueError(f"{type(output).__name__} holds no logits (B, S, V): expected a model that predicts pieces")
    return logits


def answer(model: nn.Module, inputs: Inputs) -> Any:
    """A model's output for rows of a batch; with attention, because ours then lays every token out in its row."""
    return model(**inputs, output_attentions=True)


def scores(model: nn.Module, inputs: Inputs, score: Score) -> Array:
    """The score of each row, (B,), dropout off."""
    with evaluating(model):
        found: Array = score(answer(model, inputs)).double().cpu().numpy()
    return found


def repeat(inputs: Inputs, rows: int) -> dict[str, Tensor]:
    """One row, `rows` times. Raises `ValueError` for a batch of several: a score is explained for one text."""
    for name, tensor in inputs.items():
        if tensor.shape[0] != 1:
            raise ValueError(f"{name} has {tensor.shape[0]} rows: expected one text, (1, S)")
    return {name: tensor.expand(rows, *tensor.shape[1:]) for name, tensor in inputs.items()}


def word_embeddings(model: nn.Module) -> nn.Embedding:
    """The table from which a model takes its pieces' vectors; `ValueError` if there is none."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) and name.rpartition(".")[2] in ("word", "word_embeddings"):
            return module
    raise ValueError(f"{type(model).__name__} has no table of word embeddings: expected one of ours, or a BERT")


def encoder_layers(model: nn.Module) -> list[nn.Module]:
    """The layers, first to last; `ValueError` if there is none."""
    found = [module for module in model.modules() if hasattr(module, "attention") and hasattr(module, "intermediate")]
    if not found:
        raise ValueError(f"{type(model).__name__} has no encoder layers: expected one of ours, or a BERT")
    return found


def whole_embeddings(model: nn.Module) -> nn.Module:
    """The module that adds and normalises a text's embeddings; `ValueError` if there is none."""
    table = word_embeddings(model)
    return next(module for module in model.modules() if table in module.children())


def linear_of(module: Any) -> nn.Module:
    """The linear map of what is one itself (ours) or holds it as `dense` (Hugging Face's)."""
    return getattr(module, "dense", module)  # type: ignore[no-any-return]


@contextmanager
def changed(module: nn.Module, change: Callable[[Tensor], Tensor], *, given: bool = False) -> Iterator[None]:
    """Change what a module returns - or, with `given`, what it is given - until the `with` block ends.

    Of a tuple the first is changed; what a layer returns beside its states stays.
    """

    def altered(value: Any) -> Any:
        return (change(value[0]), *value[1:]) if isinstance(value, tuple) else change(value)

    if given:
        hook = module.register_forward_pre_hook(lambda _, inputs: altered(inputs))
    else:
        hook = module.register_forward_hook(lambda _, __, output: altered(output))
    try:
        yield
    finally:
        hook.remove()


def heard(model: nn.Module, module: nn.Module, inputs: Inputs, *, given: bool = False) -> Tensor:
    """What a module returns - or is given - while a model reads, dropout off."""
    kept: list[Tensor] = []

    def keep(value: Tensor) -> Tensor:
        kept.append(value.detach())
        return value

    with changed(module, keep, given=given), evaluating(model):
        answer(model, inputs)
    return torch.cat(kept)
