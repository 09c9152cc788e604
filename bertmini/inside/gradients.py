"""Attribution by gradients: how much of a score belongs to each token's word embedding, to first order or exactly.

*Gradient times input* takes the slope at the text itself: the sum over E of dscore/dembedding times the embedding.
*Integrated gradients* (Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks", equation 1) follow
the straight line from a baseline, a text that says nothing, to the text, and take the mean slope on the way. Then
the parts add up to the difference that they explain, score(text) - score(baseline): *completeness*, their axiom.

Only the word embeddings move; positions, segments and all weights stay, the tied decoder's too.

Left out on purpose: noise around the text (SmoothGrad), gradients of the weights.
Shapes: S tokens, E hidden. Taught in chapter 14.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bertmini.inside.attend import evaluating
from bertmini.inside.score import Array, Inputs, Score, answer, changed, repeat, word_embeddings


class Integrated(NamedTuple):
    """Each token's part, (S,), and the difference of scores that the parts should add up to."""

    parts: Array
    difference: float

    @property
    def gap(self) -> float:
        """How far the parts are from adding up: too few steps, or something between that has no gradient."""
        return abs(float(self.parts.sum()) - self.difference)


def gradient_x_input(model: nn.Module, inputs: Inputs, score: Score) -> Array:
    """Each token's gradient times its embedding, (S,); raises `ValueError` for more than one text."""
    repeat(inputs, 1)
    words = word_embeddings(model)(inputs["input_ids"]).detach()
    gradient, _ = _slopes(model, inputs, score, words)
    parts: Array = (gradient * words)[0].sum(-1).double().cpu().numpy()
    return parts


def integrated_gradients(
    model: nn.Module, inputs: Inputs, score: Score, baseline: Tensor, *, steps: int = 64
) -> Integrated:
    """Each token's part of score(text) - score(baseline), along the straight line between their word embeddings.

    `baseline` is a text of the same length, ids (1, S), such as the same with a [MASK] for every word; or embeddings
    (1, S, E), such as zeros. The integral is Gauss and Legendre's sum over `steps` points, as in captum. Raises
    `ValueError` for more than one text and a baseline of another shape.
    """
    words = word_embeddings(model)
    end = words(inputs["input_ids"]).detach()
    start = baseline if baseline.is_floating_point() else words(baseline).detach()
    if start.shape != end.shape:
        raise ValueError(f"the baseline has shape {tuple(start.shape)}, the text {tuple(end.shape)}: expected the same")
    where, weights = np.polynomial.legendre.leggauss(steps)  # on -1 to 1
    share = end.new_tensor((where + 1) / 2)[:, None, None]
    slopes, _ = _slopes(model, repeat(inputs, steps), score, start + share * (end - start))
    mean = (slopes * end.new_tensor(weights / 2)[:, None, None]).sum(0)
    parts: Array = (mean * (end - start)[0]).sum(-1).double().cpu().numpy()
    _, ends = _slopes(model, repeat(inputs, 2), score, torch.cat([start, end]))
    return Integrated(parts, float(ends[1] - ends[0]))


def _slopes(model: nn.Module, inputs: Inputs, score: Score, words: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of each row's score in that row's word embeddings, both (B, S, E), and the scores (B,)."""
    table = word_embeddings(model)
    given = words.detach().clone().requires_grad_()
    with evaluating(model), torch.enable_grad(), changed(table, lambda _: given):
        found = score(answer(model, inputs))
        (gradient,) = torch.autograd.grad(found.sum(), given)
    return gradient, found.detach()
