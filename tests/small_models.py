"""BERTs small enough to compare number by number, of pairwise distinct sizes, and Hugging Face's beside them."""

from dataclasses import asdict, replace
from typing import Any, TypeVar

import torch
import transformers
from torch import Tensor, nn
from torch.testing import assert_close

from bertmini.config import BertConfig

BATCH, LENGTH = 3, 7
CONFIG = BertConfig(
    vocab_size=99,
    hidden_size=20,
    num_hidden_layers=5,
    num_attention_heads=4,
    intermediate_size=37,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    max_position_embeddings=17,
    type_vocab_size=2,
    labels=("nobody", "person", "place", "thing", "time", "number"),
)
DROPPING = replace(CONFIG, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.2)

Module = TypeVar("Module", bound=nn.Module)

MASKS = {
    "no padding": torch.ones(BATCH, LENGTH, dtype=torch.long),
    "right": torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0]]),
    "left": torch.tensor([[1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 1]]),
    "holes": torch.tensor([[1, 0, 1, 1, 0, 1, 1], [0, 1, 0, 1, 0, 1, 0], [1, 1, 0, 0, 0, 0, 1]]),
}


def shaken(model: Module, seed: int = 1, scale: float = 0.2) -> Module:
    """Give every parameter random numbers, biases and norms too, so that none can be left out unnoticed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if "norm.weight" in name.lower() else 0.0
            parameter.copy_(centre + scale * torch.randn(parameter.shape, generator=generator))
    return model


def a_batch(mask: Tensor, seed: int = 2) -> dict[str, Tensor]:
    """Random ids and segments under a mask."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, CONFIG.vocab_size, mask.shape, generator=generator)
    types = torch.randint(2, mask.shape, generator=generator)
    return {"input_ids": ids * (mask > 0), "token_type_ids": types, "attention_mask": mask}


def hugging_face_config(config: BertConfig = CONFIG, **more: Any) -> transformers.BertConfig:
    """Spell our configuration as theirs, with the attention that can show its weights."""
    values = asdict(config)
    labels = values.pop("labels")
    values |= {"id2label": dict(enumerate(labels)), "attn_implementation": "eager", "use_cache": False}
    return transformers.BertConfig(**values, **more)


def assert_within(tolerance: float, actual: Any, expected: Any) -> None:
    """Compare tensors, or tuples of tensors, element by element, by absolute difference."""
    assert_close(actual, expected, rtol=0.0, atol=tolerance)


def gradients(model: nn.Module) -> dict[str, Tensor]:
    """Return every parameter's gradient by name, zeros where nothing arrived."""
    return {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()
        for name, parameter in model.named_parameters()
    }
