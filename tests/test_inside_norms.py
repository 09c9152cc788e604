"""Norm-based weights against the sum written out, and against what attention really adds."""

import numpy as np
import torch
import transformers
from small_models import CONFIG, hugging_face_config, shaken
from torch import nn

from bertmini import BertForMaskedLM
from bertmini.inside.norms import attention_norms
from bertmini.inside.score import heard

IDS = torch.tensor([[2, 8, 4, 10, 3, 13, 7]])
HEADS, SIZE = CONFIG.num_attention_heads, CONFIG.hidden_size // CONFIG.num_attention_heads


def test_each_length_written_out() -> None:
    model = shaken(BertForMaskedLM(CONFIG)).eval()
    found = attention_norms(model, {"input_ids": IDS})
    layer = model.bert.layers[2].attention
    with torch.no_grad():
        weights = model(IDS, output_attentions=True).attentions[2][0]
        states = heard(model, layer.value, {"input_ids": IDS}, given=True)[0]
        values = layer.value(states)
        for head in range(HEADS):
            own = slice(SIZE * head, SIZE * (head + 1))
            vectors = values[:, own] @ layer.output.weight[:, own].T
            expected = weights[head] * vectors.norm(dim=-1)
            assert np.allclose(found.heads[2, head], expected, atol=1e-5)


def test_the_vectors_are_all_that_attention_adds() -> None:
    # one token alone: the sum over heads is the module's output without its bias
    model = shaken(BertForMaskedLM(CONFIG)).eval()
    one = {"input_ids": torch.tensor([[8]])}
    found = attention_norms(model, one)
    for number, layer in enumerate(model.bert.layers):
        added = heard(model, layer.attention.output, one)[0, 0] - layer.attention.output.bias
        assert np.allclose(found.layers[number, 0, 0], added.norm().item(), atol=1e-5)


def test_ours_and_theirs_agree() -> None:
    ours = attention_norms(shaken(BertForMaskedLM(CONFIG)), {"input_ids": IDS})
    model: nn.Module = shaken(transformers.BertForMaskedLM(hugging_face_config()))
    theirs = attention_norms(model, {"input_ids": IDS})
    assert np.allclose(ours.heads, theirs.heads, atol=1e-4)
    assert np.allclose(ours.layers, theirs.layers, atol=1e-4)
    assert ours.heads.shape == (5, 4, 7, 7)
