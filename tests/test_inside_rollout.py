import itertools

import numpy as np
import pytest
import torch

from bertmini.inside.rollout import flow, rollout

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


def test_flow_by_hand() -> None:
    # Halved with the residual connection the layers are [[1, 0], [.25, .75]] and [[.5, .5], [0, 1]] (see above).
    # Into the first state of the top flow .5 of the middle's first and .5 of its second. From token a the middle's
    # first has 1 and its second .25, so a reaches it by min(.5, 1) + min(.5, .25) = .75; b by min(.5, .75) = .5.
    assert np.allclose(flow(STACK, TOKENS, 0), [0.75 / 1.25, 0.5 / 1.25], atol=1e-6)
    # Into the second state flows 1 of the middle's second: from a .25, from b .75.
    assert np.allclose(flow(STACK, TOKENS, 1), [0.25, 0.75], atol=1e-6)


def test_flow_is_the_narrowest_way_of_a_chain() -> None:
    # three tokens, two layers; c looks at b, b looks at a: from a to c there is one way, half then half
    chain = np.array([[[[1.0, 0, 0], [1, 0, 0], [0, 1, 0]]]] * 2)
    assert np.allclose(rollout(chain, ["a", "b", "c"])[-1][2], [0.25, 0.5, 0.25], atol=1e-6)
    # flow: a by .5; b by c's pipe .5 out of b's own .5 and by c's own half: .5 + min(.5, .5) = ... two ways of .5
    assert np.allclose(flow(chain, ["a", "b", "c"], 2), np.array([0.5, 1.0, 0.5]) / 2, atol=1e-6)


def test_flow_by_cuts() -> None:
    """The largest flow is the smallest cut (Ford and Fulkerson 1956), found here by trying every cut."""
    generator = torch.Generator().manual_seed(0)
    layers = [torch.rand(1, 2, 3, 3, generator=generator).mul(6).softmax(-1).double() for _ in range(2)]
    pipes = [(layer[0].mean(0) + torch.eye(3)).numpy() / 2 for layer in layers]
    smallest = []
    for source in range(3):
        cuts = []
        for sides in itertools.product([0, 1], repeat=3 + 2 + 2):  # 1: on the sink's side; source and sink are fixed
            bottom = [*sides[:source], 0, *sides[source:2]]
            middle, top = sides[2:5], [1, *sides[5:7]]
            both = ((pipes[0], bottom, middle), (pipes[1], middle, top))
            cuts.append(sum(p[i, j] for p, low, high in both for i in range(3) for j in range(3) if high[i] > low[j]))
        smallest.append(min(cuts))
    assert np.allclose(flow(layers, ["a", "b", "c"], 0), np.array(smallest) / sum(smallest), atol=1e-6)


def test_mistakes_of_flow_are_named() -> None:
    with pytest.raises(ValueError, match="place 2: expected one of the tokens 0 to 1"):
        flow(STACK, TOKENS, 2)
