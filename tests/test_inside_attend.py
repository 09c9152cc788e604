from dataclasses import replace

import numpy as np
import pytest
import torch
from small_models import CONFIG, DROPPING, hugging_face_config, shaken
from transformers import BertModel as TheirBertModel

from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.inside.attend import attend
from bertmini.model.encoder import BertModel
from bertmini.model.pretraining import BertForPreTraining

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "##s"]


@pytest.mark.parametrize("kind", [BertModel, BertForPreTraining])
def test_a_model_and_a_pair(kind: type) -> None:
    tokenizer = WordPieceTokenizer.from_vocab(PIECES)
    model = shaken(kind(DROPPING)).train()
    model.get_submodule("bert.layers.1" if kind is BertForPreTraining else "layers.1").eval()
    before = [module.training for module in model.modules()]
    attended = attend(model, tokenizer, "the cats", "sat")
    assert attended.tokens == ["[CLS]", "the", "cat", "##s", "[SEP]", "sat", "[SEP]"]
    assert attended.second == 5
    assert [module.training for module in model.modules()] == before
    encoding = tokenizer.encode("the cats", "sat")
    output = model.eval()(
        torch.tensor([encoding.ids]), token_type_ids=torch.tensor([encoding.type_ids]), output_attentions=True
    )
    assert np.array_equal(attended.attentions, torch.cat(output.attentions).double().detach().numpy())
    assert attend(model, tokenizer, "the cats").second is None


def test_hugging_faces_model_too() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(PIECES)
    theirs = shaken(TheirBertModel(hugging_face_config())).eval()
    assert attend(theirs, tokenizer, "the cat", "sat").attentions.shape == (5, 4, 6, 6)
    theirs.set_attn_implementation("sdpa")
    with pytest.raises(ValueError, match="attn_implementation='eager'"):
        attend(theirs, tokenizer, "the cat", "sat")


def test_a_failing_model_is_put_back_too() -> None:
    model = BertModel(replace(CONFIG, max_position_embeddings=4)).train()
    with pytest.raises(ValueError, match="cut the text"):
        attend(model, WordPieceTokenizer.from_vocab(PIECES), "the cat sat")
    assert all(module.training for module in model.modules())
    with pytest.raises(ValueError, match="the text is empty"):
        attend(model, WordPieceTokenizer.from_vocab(PIECES), " ")
