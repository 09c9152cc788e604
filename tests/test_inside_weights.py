from typing import Any

import numpy as np
import pytest
import torch

from bertmini.inside.weights import check_attention, check_head

TOKENS = ["[CLS]", "the", "cat", "sat", "[SEP]"]
GENERATOR = torch.Generator().manual_seed(3)
LAYERS = tuple(torch.rand(1, 3, 5, 5, generator=GENERATOR).softmax(-1) for _ in range(2))
STACK = torch.cat(LAYERS).double().numpy()


@pytest.mark.parametrize(
    "attentions",
    [
        LAYERS,  # what a model returns
        list(LAYERS),
        [layer.numpy() for layer in LAYERS],
        [layer[0] for layer in LAYERS],
        STACK,
        torch.stack(LAYERS),  # (2, 1, 3, 5, 5)
        torch.cat(LAYERS).requires_grad_(),
        STACK.tolist(),
    ],
)
def test_every_shape_of_all_layers_becomes_one_array(attentions: Any) -> None:
    array = check_attention(attentions, TOKENS)
    assert array.dtype == np.float64
    assert np.array_equal(array, STACK)


def test_half_precision_may_be_off_by_a_little_more() -> None:
    coarse = tuple(layer.to(torch.bfloat16) for layer in LAYERS)
    assert np.abs(check_attention(coarse, TOKENS).sum(-1) - 1).max() > 1e-3
    with pytest.raises(ValueError, match="a row sums to"):
        check_attention(tuple(layer.float() for layer in coarse), TOKENS)


def changed(place: tuple[int, ...], value: float) -> Any:
    array = STACK.copy()
    array[place] = value
    return array


@pytest.mark.parametrize(
    ("attentions", "tokens", "message"),
    [
        (None, TOKENS, r"there are no attention weights: ask the model for output_attentions=True"),
        ((), TOKENS, r"there are no attention weights: .* attn_implementation='eager'"),
        ((None, None), TOKENS, "there are no attention weights"),
        (STACK[0, 0], TOKENS, r"the weights have the shape \(5, 5\): expected \(layers, heads, S, S\)"),
        (STACK[..., :4], TOKENS, r"the weights have the shape \(2, 3, 5, 4\)"),
        (STACK[:, :0], TOKENS, r"the weights have the shape \(2, 0, 5, 5\)"),
        (
            [torch.cat([layer, layer]) for layer in LAYERS],
            TOKENS,
            r"a batch of 2 sequences: expected one; pass \[layer",
        ),
        ([LAYERS[0], LAYERS[1][..., :4, :4]], TOKENS, r"shapes, \(1, 3, 4, 4\) and \(1, 3, 5, 5\)"),
        (STACK, TOKENS[:4], "4 tokens, but 5 columns: cut the padding from both"),
        (STACK, "abcde", r"pass tokenizer.encode\(text\).tokens"),
        (STACK, [2, 5, 6, 7, 3], "not text or ids"),
        (changed((1, 2, 3, 0), np.nan), TOKENS, "the weights are not all finite: .* learning rate"),
        (changed((1, 2, 3, 0), np.inf), TOKENS, "the weights are not all finite"),
        (changed((1, 2, 3, 0), -0.5), TOKENS, "a weight is -0.500, below 0: these look like scores"),
        (STACK * 1.002, TOKENS, r"a row sums to 1.002, not 1: call model.eval\(\)"),
    ],
)
def test_mistakes_are_named_with_their_likely_cause(attentions: Any, tokens: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_attention(attentions, tokens)


def test_one_head_is_checked_alike() -> None:
    assert np.array_equal(check_head(torch.tensor(STACK[1, 2]), TOKENS), STACK[1, 2])
    with pytest.raises(ValueError, match=r"shape \(2, 3, 5, 5\): expected \(S, S\), one head of one sequence"):
        check_head(STACK, TOKENS)
