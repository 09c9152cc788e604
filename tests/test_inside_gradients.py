"""Attributions that can be worked by hand, equal Hugging Face's model's, and add up."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import transformers
from small_models import CONFIG, hugging_face_config, shaken
from torch import Tensor, nn

from bertmini import BertForMaskedLM
from bertmini.inside.gradients import gradient_x_input, integrated_gradients
from bertmini.inside.score import log_probability, scores

IDS = torch.tensor([[2, 8, 4, 10, 3, 13, 7]])
BASELINE = torch.tensor([[2, 4, 4, 4, 3, 4, 4]])
SCORE = log_probability(2, 9)


class Out(NamedTuple):
    value: Tensor


class Toy(nn.Module):
    """score = (3 a + 2 b) c, where a, b, c are the first, second and third tokens' only number."""

    def __init__(self) -> None:
        super().__init__()
        self.word = nn.Embedding.from_pretrained(torch.tensor([[0.0], [1.0], [2.0], [4.0]]))
        self.dense = nn.Linear(1, 1)

    def forward(self, input_ids: Tensor, output_attentions: bool = False) -> Out:
        a, b, c = self.word(input_ids)[..., 0].unbind(1)
        return Out((3 * a + 2 * b) * c)


def test_by_hand() -> None:
    inputs = {"input_ids": torch.tensor([[1, 2, 3]])}  # a = 1, b = 2, c = 4: the score is (3 + 4) * 4 = 28
    found = gradient_x_input(Toy(), inputs, lambda output: output.value)
    assert found.tolist() == [3 * 4 * 1, 2 * 4 * 2, 7 * 4]  # slopes 3c, 2c, 3a + 2b: they do not add up
    whole = integrated_gradients(Toy(), inputs, lambda output: output.value, torch.zeros(1, 3, dtype=torch.long))
    # on the line t (a, b, c) the slopes are t times as large, and the mean of t is one half
    assert np.allclose(whole.parts, [6, 8, 14], atol=1e-4)
    assert whole.difference == pytest.approx(28)
    assert whole.gap < 1e-3


@pytest.fixture(params=["ours", "theirs"])
def model(request: Any) -> nn.Module:
    theirs = transformers.BertForMaskedLM(hugging_face_config())
    return shaken(BertForMaskedLM(CONFIG) if request.param == "ours" else theirs)


def test_the_gradient_is_the_slope(model: nn.Module) -> None:
    model = model.double()
    table = next(module for module in model.modules() if isinstance(module, nn.Embedding))
    found = gradient_x_input(model, {"input_ids": IDS}, SCORE)
    before = table.weight.detach().clone()
    with torch.no_grad():
        for place, piece in enumerate(IDS[0].tolist()):
            # the decoder is tied, so the table must not move: a new row for this place would; shift the sum instead
            step = 1e-5 * before[piece]
            above, below = (_score_with_shift(model, table, place, sign * step) for sign in (1, -1))
            assert found[place] == pytest.approx((above - below) / 2e-5, abs=1e-6)
    assert torch.equal(table.weight, before)


def _score_with_shift(model: nn.Module, table: nn.Embedding, place: int, step: Tensor) -> float:
    def shift(_: nn.Module, __: tuple[Any, ...], words: Tensor) -> Tensor:
        words = words.clone()
        words[:, place] += step
        return words

    hook = table.register_forward_hook(shift)
    try:
        return float(scores(model, {"input_ids": IDS}, SCORE)[0])
    finally:
        hook.remove()


def test_parts_add_up_whatever_the_baseline(model: nn.Module) -> None:
    zeros = torch.zeros(1, IDS.shape[1], CONFIG.hidden_size)
    for baseline in (BASELINE, zeros):
        found = integrated_gradients(model, {"input_ids": IDS}, SCORE, baseline)
        assert found.gap < 1e-3
        assert abs(found.difference) > 0.01
    found = integrated_gradients(model, {"input_ids": IDS}, SCORE, BASELINE)
    same = (IDS == BASELINE)[0].numpy()
    assert (found.parts[same] == 0).all()
    expected = scores(model, {"input_ids": torch.cat([BASELINE, IDS])}, SCORE)
    assert found.difference == pytest.approx(expected[1] - expected[0], abs=1e-5)


def test_ours_and_theirs_agree(model: nn.Module) -> None:
    # both are shaken by the same seed, parameter by parameter in the same order
    ours = shaken(BertForMaskedLM(CONFIG))
    assert np.allclose(
        integrated_gradients(model, {"input_ids": IDS}, SCORE, BASELINE).parts,
        integrated_gradients(ours, {"input_ids": IDS}, SCORE, BASELINE).parts,
        atol=1e-4,
    )


def test_the_model_is_left_as_it_was(model: nn.Module) -> None:
    model.train()
    integrated_gradients(model, {"input_ids": IDS}, SCORE, BASELINE, steps=4)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    table = next(module for module in model.modules() if isinstance(module, nn.Embedding))
    assert not table._forward_hooks


def test_as_captum_does(model: nn.Module) -> None:
    captum = pytest.importorskip("captum.attr")
    table = next(module for module in model.modules() if isinstance(module, nn.Embedding))
    model.eval()

    def forward(ids: Tensor) -> Tensor:
        return SCORE(model(input_ids=ids))

    theirs = captum.LayerIntegratedGradients(forward, table)
    expected = theirs.attribute(IDS, baselines=BASELINE, n_steps=64, method="gausslegendre").sum(-1)[0]
    found = integrated_gradients(model, {"input_ids": IDS}, SCORE, BASELINE, steps=64)
    assert np.allclose(found.parts, expected.detach().double().numpy(), atol=1e-5)
    slope = captum.LayerGradientXActivation(forward, table).attribute(IDS).sum(-1)[0]
    assert np.allclose(gradient_x_input(model, {"input_ids": IDS}, SCORE), slope.detach().double().numpy(), atol=1e-5)


def test_mistakes_are_named(model: nn.Module) -> None:
    with pytest.raises(ValueError, match="2 rows: expected one text"):
        gradient_x_input(model, {"input_ids": IDS.expand(2, -1)}, SCORE)
    with pytest.raises(ValueError, match="the baseline has shape"):
        integrated_gradients(model, {"input_ids": IDS}, SCORE, BASELINE[:, :5])
    with pytest.raises(ValueError, match="no table of word embeddings"):
        gradient_x_input(nn.Linear(2, 2), {"input_ids": IDS}, SCORE)
