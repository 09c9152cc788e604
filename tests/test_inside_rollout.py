import numpy as np
import pytest
import torch

from bertmini.inside.rollout import rollout

TOKENS = ["a", "b"]
# Two layers of two heads, whose means are SECOND and THIRD.
SECOND, THIRD = [[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.0, 1.0]]
STACK = np.array(
    [
        [[[1.0, 0.0], [0.75, 0.25]], [[1.0, 0.0], [0.25, 0.75]]],
        [[[0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]],
    ]
)


def test_two_layers_by_hand() -> None:
    # half of each layer is the residual connection: [[1, 0], [.25, .75]] and [[.5, .5], [0, 1]]; the order matters:
    # the second times the first is [[.5 + .125, .375], [.25, .75]], the first times the second [[.5, .5], [.125, .875]]
    assert STACK.mean(1).tolist() == [SECOND, THIRD]
    first, both = rollout(STACK, TOKENS)
    assert first.tolist() == [[1.0, 0.0], [0.25, 0.75]]
    assert both.tolist() == [[0.625, 0.375], [0.25, 0.75]]


def test_as_a_product_of_matrices_in_torch() -> None:
    layers = [torch.rand(1, 3, 7, 7, generator=torch.Generator().manual_seed(0)).mul(4).softmax(-1) for _ in range(4)]
    halves = [0.5 * layer[0].double().mean(0) + 0.5 * torch.eye(7) for layer in layers]
    found = rollout(layers, [*"abcdefg"])
    assert np.allclose(found[-1], torch.linalg.multi_dot(halves[::-1]).numpy(), atol=1e-6)
    assert np.allclose(found.sum(-1), 1, atol=1e-6)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="3 tokens, but 2 columns"):
        rollout(STACK, ["a", "b", "c"])
