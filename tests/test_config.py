from dataclasses import FrozenInstanceError, fields, replace

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from bertmini.config import ACTIVATIONS, PRESETS, BertConfig
from bertmini.model.encoder import ACTIVATION_FUNCTIONS, BertModel
from bertmini.model.pretraining import BertForPreTraining

# Layers, hidden size, heads (Devlin et al. 2019, section 3; Turc et al. 2019, table 1).
PUBLISHED_SHAPES = {
    "tiny": (2, 128, 2),
    "mini": (4, 256, 4),
    "small": (4, 512, 8),
    "medium": (8, 512, 8),
    "base": (12, 768, 12),
    "large": (24, 1024, 16),
}
ENCODERS = {
    "tiny": 4_385_920,
    "mini": 11_170_560,
    "small": 28_763_648,
    "medium": 41_373_184,
    "base": 109_482_240,
    "large": 335_141_888,
}
PUBLISHED_MILLIONS = {"tiny": 4.4, "mini": 11.3, "small": 29.1, "medium": 41.7, "base": 110, "large": 340}


def parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def by_hand(c: BertConfig) -> int:
    """Encoder and pooler, counted on paper."""
    e, i = c.hidden_size, c.intermediate_size
    embeddings = (c.vocab_size + c.max_position_embeddings + c.type_vocab_size) * e + 2 * e
    layer = 4 * (e * e + e) + (e * i + i) + (i * e + e) + 4 * e
    return embeddings + c.num_hidden_layers * layer + e * e + e


def test_defaults_are_hugging_faces() -> None:
    theirs = transformers.BertConfig()
    ours = BertConfig()
    for field in fields(BertConfig):
        if field.name != "labels":
            assert getattr(ours, field.name) == getattr(theirs, field.name), field.name
    assert dict(enumerate(ours.labels)) == theirs.id2label


@pytest.mark.parametrize("name", PUBLISHED_SHAPES)
def test_presets_have_the_published_sizes(name: str) -> None:
    config = PRESETS[name]
    layers, hidden, heads = PUBLISHED_SHAPES[name]
    assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (layers, hidden, heads)
    assert (config.intermediate_size, config.vocab_size, config.max_position_embeddings) == (4 * hidden, 30_522, 512)
    with torch.device("meta"):
        encoder, pretraining = BertModel(config), BertForPreTraining(config)
    assert parameters(encoder) == ENCODERS[name] == by_hand(config)
    # The four small ones to the decimal that is published, with heads; the paper rounds its own two to tens.
    digits = -1 if name in ("base", "large") else 1
    assert round(parameters(pretraining) / 1e6, digits) == PUBLISHED_MILLIONS[name]


def test_nano_is_for_the_microworld() -> None:
    nano = PRESETS["nano"]
    assert (nano.num_hidden_layers, nano.hidden_size, nano.num_attention_heads, nano.intermediate_size) == (
        2,
        64,
        4,
        256,
    )
    assert nano.max_position_embeddings == 64
    assert list(PRESETS) == ["nano", "tiny", "mini", "small", "medium", "base", "large"]


def test_every_activation_that_a_config_may_name_exists() -> None:
    assert tuple(ACTIVATION_FUNCTIONS) == ACTIVATIONS


@given(heads=st.integers(1, 9), size=st.integers(1, 9))
def test_heads_share_the_hidden_size(heads: int, size: int) -> None:
    config = BertConfig(hidden_size=heads * size, num_attention_heads=heads)
    assert config.num_labels == 2
    if heads > 1:
        with pytest.raises(ValueError, match=f"hidden_size {heads * size + 1} is not a multiple.*heads {heads}"):
            BertConfig(hidden_size=heads * size + 1, num_attention_heads=heads)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"vocab_size": 0}, "vocab_size is 0; it must be from 1 to"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ({"hidden_size": -20}, "hidden_size is -20"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0"),
        ({"intermediate_size": 37.0}, "intermediate_size is 37.0; it must be a whole number"),
        ({"vocab_size": "99"}, "vocab_size is '99'; it must be a whole number"),
        ({"type_vocab_size": True}, "type_vocab_size is True; it must be a whole number"),
        ({"pad_token_id": None}, "pad_token_id is None; it must be a whole number"),
        ({"pad_token_id": -1}, "pad_token_id -1 is outside the vocabulary of 30522"),
        ({"pad_token_id": 99, "vocab_size": 99}, "pad_token_id 99 is outside the vocabulary of 99"),
        ({"hidden_dropout_prob": 1.0}, "hidden_dropout_prob is 1.0; a dropout rate lies in"),
        ({"attention_probs_dropout_prob": -0.1}, "attention_probs_dropout_prob is -0.1"),
        ({"hidden_dropout_prob": float("nan")}, "hidden_dropout_prob is nan"),
        ({"hidden_dropout_prob": "0.1"}, "hidden_dropout_prob is '0.1'; it must be a number, at least 0"),
        ({"layer_norm_eps": "small"}, "layer_norm_eps is 'small'; it must be a number, at least 0"),
        ({"layer_norm_eps": -1e-12}, "layer_norm_eps is -1e-12; it must be a number, at least 0"),
        ({"initializer_range": float("nan")}, "initializer_range is nan; it must be a number, at least 0"),
        ({"hidden_act": "gelo"}, "hidden_act 'gelo' is unknown; choose one of gelu, gelu_new, relu"),
        ({"initializer_range": float("inf")}, "initializer_range is inf; it must be a number, at least 0"),
        ({"labels": ()}, r"labels \(\) must be"),
        ({"labels": ("yes", 1)}, "must be names"),
        ({"hidden_size": 10**12}, "hidden_size is 1000000000000; it must be from 1 to 65536"),
        ({"num_hidden_layers": 10**7}, "num_hidden_layers is 10000000; it must be from 1 to 1024"),
    ],
)
def test_what_cannot_be_built_is_refused_by_name(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(BertConfig(), **values)  # type: ignore[arg-type]


def test_limits_themselves_are_allowed() -> None:
    least = BertConfig(
        vocab_size=1,
        hidden_size=1,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=1,
        max_position_embeddings=1,
        type_vocab_size=1,
        hidden_dropout_prob=0,
        layer_norm_eps=0,
        initializer_range=0,
        labels=("only",),
    )
    assert least.num_labels == 1
    assert replace(least, vocab_size=7, pad_token_id=6).pad_token_id == 6


def test_a_config_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        BertConfig().hidden_size = 5  # type: ignore[misc]
