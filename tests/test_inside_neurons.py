from typing import Any

import numpy as np
import pytest
import torch
from small_models import CONFIG, hugging_face_config, shaken
from torch import nn
from transformers import BertModel as TheirBertModel

from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.inside.attend import attend
from bertmini.inside.neurons import listen
from bertmini.model.encoder import BertModel

TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "##s"])


@pytest.mark.parametrize("make", [lambda: BertModel(CONFIG), lambda: TheirBertModel(hugging_face_config())])
def test_queries_and_keys_make_the_weights(make: Any) -> None:
    model: nn.Module = shaken(make())
    neurons = listen(model, TOKENIZER, "the cats", "sat")
    assert neurons.queries.shape == neurons.keys.shape == (5, 4, 7, 5)
    again = torch.from_numpy(neurons.queries @ neurons.keys.swapaxes(-1, -2) / np.sqrt(5)).softmax(-1).numpy()
    seen = attend(model, TOKENIZER, "the cats", "sat")
    assert np.abs(again - seen.attentions).max() < 1e-5
    assert (neurons.tokens, neurons.second) == (seen.tokens, 5)


def test_a_model_is_left_without_hooks_and_one_without_queries_is_refused() -> None:
    model = BertModel(CONFIG)
    listen(model, TOKENIZER, "the cat")
    assert not any(module._forward_hooks for module in model.modules())
    for layer in model.layers:
        layer.attention.key = torch.nn.Sequential(layer.attention.key)
        del layer.attention.heads

        def renamed(asking: Any, answering: Any, meet: Any) -> Any:
            return asking, torch.full((1, 2, asking.shape[1], answering.shape[1]), 1 / answering.shape[1])

        layer.attention.forward = renamed
    with pytest.raises(ValueError, match="the model has 5 layers, but 0 maps called 'query' were used"):
        listen(model, TOKENIZER, "the cat")
