"""Each experiment against the same one done by hand, text by text."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from small_models import CONFIG, hugging_face_config, shaken
from torch import Tensor, nn

from bertmini import BertForMaskedLM, BertForSequenceClassification
from bertmini.inside.ablation import without_heads
from bertmini.inside.patching import (
    mixed_by_heads,
    patch_states,
    replace_embeddings,
    replace_neurons,
    replaced_heads,
    resample_tokens,
)
from bertmini.inside.score import Score, log_probability, scores

IDS = torch.tensor([[2, 8, 4, 10, 3, 13, 7]])
OTHER = torch.tensor([[2, 8, 4, 11, 3, 13, 7]])
SCORE = log_probability(2, 9)


@pytest.fixture(params=["ours", "theirs", "classes"])
def model(request: Any) -> nn.Module:
    makers: dict[str, Any] = {
        "ours": lambda: BertForMaskedLM(CONFIG),
        "theirs": lambda: transformers.BertForMaskedLM(hugging_face_config()),
        "classes": lambda: BertForSequenceClassification(CONFIG),
    }
    return shaken(makers[request.param]()).eval()


def score_of(model: nn.Module) -> Score:
    return (lambda output: output.logits[:, 2]) if isinstance(model, BertForSequenceClassification) else SCORE


def ask(model: nn.Module, ids: Tensor) -> float:
    return float(scores(model, {"input_ids": ids}, score_of(model))[0])


def test_tokens_from_other_texts(model: nn.Module) -> None:
    others = torch.tensor([[2, 5, 6, 7, 3, 9, 11], [2, 15, 16, 17, 3, 19, 21]])
    found = resample_tokens(model, {"input_ids": IDS}, score_of(model), others)
    for place in range(7):
        swapped = [
            torch.cat([IDS[:, :place], other[None, place : place + 1], IDS[:, place + 1 :]], 1) for other in others
        ]
        expected = ask(model, IDS) - np.mean([ask(model, ids) for ids in swapped])
        assert found[place] == pytest.approx(expected, abs=1e-5)
    assert found[0] == found[4] == pytest.approx(0, abs=1e-6)  # the same token there


def test_an_embedding_that_is_another_pieces_is_that_piece(model: nn.Module) -> None:
    table = next(module for module in model.modules() if isinstance(module, nn.Embedding))
    found = replace_embeddings(model, {"input_ids": IDS}, score_of(model), table.weight[4].detach())
    expected = resample_tokens(model, {"input_ids": IDS}, score_of(model), torch.full_like(IDS, 4))
    assert np.allclose(found, expected, atol=1e-5)


def test_a_silent_neuron_is_a_column_of_zeros(model: nn.Module) -> None:
    zeros = torch.zeros(CONFIG.intermediate_size)
    found = replace_neurons(model, {"input_ids": IDS}, score_of(model), 1, zeros)
    for neuron in (0, 17, 36):
        cut = deepcopy(model)
        layer = next(m for n, m in cut.named_modules() if n.endswith(("layers.1.output", "layer.1.output.dense")))
        with torch.no_grad():
            layer.weight[:, neuron] = 0
        assert found[neuron] == pytest.approx(ask(model, IDS) - ask(cut, IDS), abs=1e-5)


def test_heads_say_what_others_said(model: nn.Module) -> None:
    theirs = mixed_by_heads(model, {"input_ids": OTHER})
    heads = [(layer, head) for layer in range(5) for head in range(4)]
    zeros = [torch.zeros(CONFIG.hidden_size)] * 5
    with replaced_heads(model, heads[3:6], zeros):
        silent = ask(model, IDS)
    with without_heads(model, heads[3:6]):
        assert silent == pytest.approx(ask(model, IDS), abs=1e-6)
    before, after = ask(model, IDS), ask(model, OTHER)
    with replaced_heads(model, heads, theirs):
        # the other text's heads say about it what they say anyway
        assert ask(model, OTHER) == pytest.approx(after, abs=1e-5)
        assert abs(ask(model, IDS) - before) > 1e-4
    with replaced_heads(model, [], theirs):
        assert ask(model, IDS) == pytest.approx(before, abs=1e-6)
    assert ask(model, IDS) == before


def test_patched_states(model: nn.Module) -> None:
    lost = patch_states(model, {"input_ids": IDS}, {"input_ids": OTHER}, score_of(model))
    whole = ask(model, IDS) - ask(model, OTHER)
    assert lost.shape == (6, 7)
    assert lost[0, 3] == pytest.approx(whole, abs=1e-5)  # where the word is, before the first layer: all of it
    assert np.allclose(lost[0, [0, 1, 2, 4, 5, 6]], 0, atol=1e-5)
    read = 0 if isinstance(model, BertForSequenceClassification) else 2
    assert lost[-1, read] == pytest.approx(whole, abs=1e-5)  # after the last: all of it where the answer is read
    assert np.allclose(np.delete(lost[-1], read), 0, atol=1e-5)


def test_mistakes_are_named(model: nn.Module) -> None:
    with pytest.raises(ValueError, match="other texts have 5 tokens"):
        resample_tokens(model, {"input_ids": IDS}, SCORE, IDS[:, :5])
    with pytest.raises(ValueError, match="7 and 5 tokens"):
        patch_states(model, {"input_ids": IDS}, {"input_ids": IDS[:, :5]}, SCORE)
    with pytest.raises(ValueError, match="predicts pieces"):
        scores(shaken(BertForSequenceClassification(CONFIG)), {"input_ids": IDS}, SCORE)
    with pytest.raises(ValueError, match="no encoder layers"):
        replace_neurons(nn.Linear(2, 2), {"input_ids": IDS}, SCORE, 0, torch.zeros(2))
