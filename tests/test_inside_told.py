"""Attention that is told what it would do anyway changes nothing; told something else, it does that."""

import pytest
import torch
from small_models import CONFIG, DROPPING, MASKS, a_batch, assert_within, shaken
from torch import Tensor, nn

from bertmini import BertForMaskedLM
from bertmini.inside.told import told_attention


@pytest.mark.parametrize("name", MASKS)
def test_as_it_would_anyway(name: str) -> None:
    model, batch = shaken(BertForMaskedLM(CONFIG)).eval(), a_batch(MASKS[name])
    expected = model(**batch, output_attentions=True)
    with told_attention(model, lambda _, weights: weights):
        found = model(**batch, output_attentions=True)
    assert_within(1e-5, found.logits, expected.logits)
    assert_within(1e-5, found.attentions[3], expected.attentions[3])
    assert_within(1e-5, model(**batch).logits, expected.logits)  # and afterwards


def test_another_models_weights_bring_its_mixture() -> None:
    model, other = (shaken(BertForMaskedLM(CONFIG), seed).eval() for seed in (1, 5))
    batch = a_batch(MASKS["no padding"])
    theirs = other(**batch, output_attentions=True).attentions
    with told_attention(model, lambda layer, _: theirs[layer]):
        found = model(**batch, output_attentions=True)
    assert torch.equal(found.attentions[4], theirs[4])
    uniform = torch.full_like(theirs[0], 1 / 7)
    # the first layer alone, by hand: uniform weights make one mean value for all
    attention = model.bert.layers[0].attention
    kept: list[Tensor] = []
    hook = attention.output.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    values = attention.value.register_forward_hook(lambda _, __, value: kept.append(value))
    with told_attention(model, lambda layer, weights: uniform):
        model(**batch, output_attentions=True)
    hook.remove()
    values.remove()
    assert_within(1e-5, kept[1], kept[0].mean(1, keepdim=True).expand_as(kept[1]))


def test_gradients_flow_and_dropout_drops() -> None:
    model, batch = shaken(BertForMaskedLM(DROPPING)).train(), a_batch(MASKS["right"])
    with told_attention(model, lambda _, weights: weights):
        first, second = (model(**batch, output_attentions=True) for _ in range(2))
        assert not torch.equal(first.logits, second.logits)
        first.attentions[0].square().sum().backward()
    assert model.bert.layers[0].attention.query.weight.grad is not None


def test_where_pieces_are_scored_too() -> None:
    model, batch = shaken(BertForMaskedLM(CONFIG)).eval(), a_batch(MASKS["right"])
    labels = torch.full_like(batch["input_ids"], -100)
    labels[:, 2] = 7
    expected = model(**batch, labels=labels).loss
    with told_attention(model, lambda _, weights: weights):
        assert_within(1e-5, model(**batch, labels=labels).loss, expected)
    assert model.bert.loose


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="Linear has no attention"), told_attention(nn.Linear(2, 2), lambda _, w: w):
        pass
