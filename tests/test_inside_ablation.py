"""Cutting a head is what zeros in its columns of the output projection would do."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest
import torch
from small_models import CONFIG, DROPPING, assert_within, gradients, hugging_face_config, shaken
from torch import Tensor, nn
from transformers import BertForMaskedLM as TheirBertForMaskedLM

from bertmini import BertForMaskedLM, BertForPreTraining, BertModel, WordPieceTokenizer
from bertmini.inside.ablation import ablate_heads, without_heads

WORDS = [f"w{i}" for i in range(CONFIG.vocab_size - 5)]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
TOKENS = ["[CLS]", "w3", "[MASK]", "w5", "[SEP]", "w8", "[MASK]", "[SEP]"]
SECOND = 5


IDS = torch.tensor([[2, 8, 4, 10, 3, 13, 4, 3]])
SIZE = CONFIG.hidden_size // CONFIG.num_attention_heads
THEIR_LAST = "bert.encoder.layer.4.attention.output.dense.weight"


def zeroed(model: nn.Module, heads: Iterable[tuple[int, int]]) -> nn.Module:
    """The oracle: a copy with zeros in the columns of the output projection that belong to the heads."""
    copy = deepcopy(model)
    weights = dict(copy.named_parameters())
    with torch.no_grad():
        for layer, head in heads:
            ours, theirs = "bert.layers.{}.attention.output", "bert.encoder.layer.{}.attention.output.dense"
            name = (theirs if THEIR_LAST in weights else ours).format(layer)
            weights[f"{name}.weight"][:, SIZE * head : SIZE * (head + 1)] = 0
    return copy


def logits_of(model: nn.Module, **inputs: Any) -> Tensor:
    output = model(input_ids=IDS, token_type_ids=torch.tensor([[0, 0, 0, 0, 0, 1, 1, 1]]), **inputs)
    found: Tensor = output.prediction_logits if isinstance(model, BertForPreTraining) else output.logits
    return found


MODELS = {
    "pretraining": lambda: BertForPreTraining(CONFIG),
    "masked": lambda: BertForMaskedLM(CONFIG),
    "theirs": lambda: TheirBertForMaskedLM(hugging_face_config()),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("explicit", [False, True])
def test_cut_heads_say_nothing_and_come_back(name: str, explicit: bool) -> None:
    model = shaken(MODELS[name]()).eval()
    before = logits_of(model)
    heads = [(1, 3), (4, 0), (1, 0)]
    with without_heads(model, heads):
        assert_within(1e-5, logits_of(model, output_attentions=explicit), logits_of(zeroed(model, heads)))
        assert (logits_of(model) - before).abs().max() > 0.01
    assert torch.equal(logits_of(model), before)
    with without_heads(model, []):
        assert torch.equal(logits_of(model), before)


@pytest.mark.parametrize("name", MODELS)
def test_cuts_add_up_and_end_with_their_own_block(name: str) -> None:
    model = shaken(MODELS[name]()).eval()
    with without_heads(model, [(2, 1)]):
        with without_heads(model, [(2, 3), (0, 0)]):
            assert_within(1e-5, logits_of(model), logits_of(zeroed(model, [(2, 1), (2, 3), (0, 0)])))
        assert_within(1e-5, logits_of(model), logits_of(zeroed(model, [(2, 1)])))


def test_an_error_ends_the_cut_too() -> None:
    model = shaken(BertForMaskedLM(CONFIG)).eval()
    before = logits_of(model)
    with pytest.raises(RuntimeError, match="an accident"), without_heads(model, [(2, 1), (3, 1)]):
        raise RuntimeError("an accident")
    assert torch.equal(logits_of(model), before)
    assert not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("name", MODELS)
def test_in_training_the_gradients_are_those_of_the_model_without_the_head(name: str) -> None:
    model = shaken(MODELS[name]()).train()
    oracle = zeroed(model, [(2, 1)])
    with without_heads(model, [(2, 1)]):
        logits_of(model)[0].logsumexp(-1).sum().backward()
    logits_of(oracle)[0].logsumexp(-1).sum().backward()
    expected = gradients(oracle)
    for parameter, gradient in gradients(model).items():
        if parameter in ("bert.layers.2.attention.output.weight", THEIR_LAST.replace("4", "2")):
            # the columns that are cut learn nothing; those that are zero would
            expected[parameter][:, SIZE : 2 * SIZE] = 0
        assert_within(1e-3, gradient, expected[parameter])


def test_dropout_still_drops() -> None:
    model = shaken(BertForMaskedLM(DROPPING)).train()
    with without_heads(model, [(0, 0)]):
        assert not torch.equal(logits_of(model), logits_of(model))


@pytest.mark.parametrize("name", MODELS)
def test_each_head_is_cut_in_turn(name: str) -> None:
    model = shaken(MODELS[name]()).eval()
    assert IDS.tolist() == [[TOKENIZER.vocab[token] for token in TOKENS]]
    ablations = ablate_heads(model, TOKENIZER, TOKENS, SECOND, best=3)
    assert [one.place for one in ablations] == [2, 6]
    for one in ablations:
        whole = logits_of(model).detach()[0, one.place].softmax(-1)
        first = int(whole.argmax())
        assert one.whole.pieces[0] == TOKENIZER.pieces[first]
        assert one.whole.first == pytest.approx(float(whole[first]), abs=1e-6)
        assert [len(layer) for layer in one.without] == [CONFIG.num_attention_heads] * CONFIG.num_hidden_layers
        for layer, guesses in enumerate(one.without):
            for head, cut in enumerate(guesses):
                expected = logits_of(zeroed(model, [(layer, head)])).detach()[0, one.place].softmax(-1)
                best = expected.topk(3)
                assert cut.pieces == [TOKENIZER.pieces[i] for i in best.indices.tolist()]
                assert cut.probabilities == pytest.approx(best.values.tolist(), abs=1e-6)
                assert cut.first == pytest.approx(float(expected[first]), abs=1e-6)


def test_the_model_is_left_as_it_is() -> None:
    model = shaken(BertForMaskedLM(CONFIG)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    ablate_heads(model, TOKENIZER, TOKENS)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_chosen_places() -> None:
    model = shaken(BertForMaskedLM(CONFIG))
    assert [one.place for one in ablate_heads(model, TOKENIZER, TOKENS, places=[5])] == [5]


def test_mistakes_are_named() -> None:
    model = BertForMaskedLM(CONFIG)
    for head in ((5, 0), (0, 4), (-1, 0)):
        message = rf"there is no head {head[0]}\.{head[1]}: expected a layer below 5 and a head below 4"
        with pytest.raises(ValueError, match=message), without_heads(model, [head]):
            pass
    with pytest.raises(ValueError, match="Linear has no attention with a 'query'"), without_heads(nn.Linear(2, 2), []):
        pass
    with pytest.raises(ValueError, match=r"places are \[\]: expected some of the tokens 0 to 1, or a \[MASK\]"):
        ablate_heads(model, TOKENIZER, ["[CLS]", "[SEP]"])
    with pytest.raises(ValueError, match=r"places are \[8\]: expected some of the tokens 0 to 7"):
        ablate_heads(model, TOKENIZER, TOKENS, places=[8])
    with pytest.raises(ValueError, match="BertModel predicts no pieces: expected BertForMaskedLM"):
        ablate_heads(BertModel(CONFIG), TOKENIZER, TOKENS)
