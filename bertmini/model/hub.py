"""Hugging Face's checkpoint format, in and out: a folder with `config.json` and `model.safetensors`.

One table holds both names of every tensor; saving reads it one way and loading the other. No other module knows Hugging
Face's names. Old checkpoints spell LayerNorm's weights `gamma` and `beta`, omit the prefix `bert.`, or carry the
constant `position_ids`: all are understood. Pickled weights (`pytorch_model.bin`) are refused, since loading them
runs their code.

Left out on purpose: sharded checkpoints, downloads. Taught in chapter 20.
"""

import hashlib
import json
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Self

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from bertmini.config import BertConfig
from bertmini.files import write_atomically

# Ours on the left, Hugging Face's on the right; N is the layer's number.
MODULE_NAMES = {
    "embeddings.word": "embeddings.word_embeddings",
    "embeddings.position": "embeddings.position_embeddings",
    "embeddings.token_type": "embeddings.token_type_embeddings",
    "embeddings.layer_norm": "embeddings.LayerNorm",
    "layers.N.attention.query": "encoder.layer.N.attention.self.query",
    "layers.N.attention.key": "encoder.layer.N.attention.self.key",
    "layers.N.attention.value": "encoder.layer.N.attention.self.value",
    "layers.N.attention.output": "encoder.layer.N.attention.output.dense",
    "layers.N.attention_norm": "encoder.layer.N.attention.output.LayerNorm",
    "layers.N.intermediate": "encoder.layer.N.intermediate.dense",
    "layers.N.output": "encoder.layer.N.output.dense",
    "layers.N.output_norm": "encoder.layer.N.output.LayerNorm",
    "pooler.dense": "pooler.dense",
    "mlm": "cls.predictions",
    "mlm.transform": "cls.predictions.transform.dense",
    "mlm.layer_norm": "cls.predictions.transform.LayerNorm",
    "nsp": "cls.seq_relationship",
    "classifier": "classifier",
    "qa_outputs": "qa_outputs",
}
OUR_NAMES = {theirs: ours for ours, theirs in MODULE_NAMES.items()}
HEADS = ("mlm", "nsp", "classifier", "qa_outputs")
OLD_LEAVES = {"gamma": "weight", "beta": "bias"}
# Constants and second names of tied weights: nothing is lost by not reading them.
REDUNDANT = re.compile(r"embeddings\.position_ids$|cls\.predictions\.decoder\.(weight|bias)$")


class Pretrained(nn.Module):
    """What every BERT can do: start from random weights, be saved, be loaded."""

    def __init__(self, config: BertConfig) -> None:
        """Remember the configuration."""
        super().__init__()
        self.config = config

    def initialize(self) -> None:
        """Draw weights from N(0, initializer_range); biases are 0 and norms the identity, as in the released code."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=self.config.initializer_range)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors`, which `transformers` loads as they are.

        Each file is replaced whole or not at all. Raises `OSError` naming the file if the disk is full.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {to_theirs(name): tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        weights = safetensors.torch.save(tensors, metadata={"format": "pt", "sha256": checksum(tensors)})
        write_atomically(folder / "model.safetensors", in_order(weights))
        write_atomically(folder / "config.json", config_to_json(self.config, type(self).__name__))

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, labels: tuple[str, ...] | None = None, new_head: bool = False
    ) -> Self:
        """Load a checkpoint that `save_pretrained` or `transformers` wrote; in evaluation mode, float32, on the CPU.

        `new_head=True` starts the task's head (and the pooler, if the checkpoint has none) from random numbers, for
        fine-tuning; `labels` then names its classes. Other heads in the checkpoint are passed over.
        Raises `ValueError` naming the file, the tensor and the cure for anything missing, damaged, of another shape
        or of an architecture that is not BERT's.
        """
        config = read_config(Path(folder), labels)
        # Random weights that a checkpoint would replace are not drawn: on the meta device there is nothing to draw.
        with torch.device("cpu" if new_head else "meta"):
            model = cls(config)
        state = match(model.state_dict(), read_tensors(Path(folder)), new_head=new_head)
        model.load_state_dict(state, assign=True)
        return model.eval()


def to_theirs(name: str) -> str:
    """Translate one of our names: `layers.3.output.weight` to `encoder.layer.3.output.dense.weight`."""
    return _translate(name, MODULE_NAMES)


def to_ours(name: str) -> str:
    """Translate one of Hugging Face's tensor names, also the old spellings of LayerNorm's weights."""
    module, _, leaf = name.rpartition(".")
    return _translate(f"{module}.{OLD_LEAVES.get(leaf, leaf)}", OUR_NAMES)


def _translate(name: str, table: dict[str, str]) -> str:
    prefix = "bert." if name.startswith("bert.") else ""
    module, _, leaf = name.removeprefix(prefix).rpartition(".")
    number = re.search(r"\.(\d+)\.", module)
    pattern = re.sub(r"\.\d+\.", ".N.", module)
    if pattern not in table:
        raise ValueError(f"tensor {name!r} belongs to no part of a BERT: is this checkpoint of another architecture?")
    return f"{prefix}{table[pattern].replace('.N.', f'.{number[1]}.' if number else '.N.')}.{leaf}"


def match(wanted: dict[str, Tensor], found: dict[str, Tensor], *, new_head: bool) -> dict[str, Tensor]:
    """Fill a model's state from a checkpoint's tensors, both under our names, with or without the prefix `bert.`."""
    found = {name.removeprefix("bert."): tensor for name, tensor in found.items()}
    state = {}
    for name, tensor in wanted.items():
        short = name.removeprefix("bert.")
        is_head = short.startswith(HEADS)
        if new_head and (is_head or (short.startswith("pooler.") and short not in found)):
            state[name] = tensor
            continue
        cure = "; new_head=True starts it from random numbers" if is_head or short.startswith("pooler.") else ""
        if short not in found:
            raise ValueError(f"the checkpoint has no {to_theirs(name)!r}: its model had no such layer{cure}")
        if found[short].shape != tensor.shape:
            raise ValueError(
                f"{to_theirs(name)!r} has shape {tuple(found[short].shape)}, but config.json asks for "
                f"{tuple(tensor.shape)}: config and weights are not of the same model{cure}"
            )
        state[name] = found[short]
    unused = found.keys() - {name.removeprefix("bert.") for name in wanted}
    if strange := sorted(name for name in unused if not name.startswith((*HEADS, "pooler."))):
        raise ValueError(
            f"config.json has no place for {len(strange)} of the checkpoint's tensors, first {strange[0]!r}"
        )
    return state


def checksum(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes, in the names' order: a flipped bit is noticed at loading."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def in_order(weights: bytes) -> bytes:
    """Sort the metadata of a safetensors file, which come in a random order: the same model gives the same bytes."""
    end = 8 + int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    return weights[:8] + json.dumps(header, separators=(",", ":")).encode().ljust(end - 8) + weights[end:]


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Read `model.safetensors` under our names, in float32."""
    path = folder / "model.safetensors"
    if not path.is_file():
        if (folder / "pytorch_model.bin").is_file():
            raise ValueError(
                f"{folder} holds only pytorch_model.bin, a pickle, and loading a pickle runs whatever code is in it; "
                "load it with transformers where you trust it, and save it again as safetensors"
            )
        sharded = (folder / "model.safetensors.index.json").is_file()
        cure = ": the checkpoint is sharded; save it again in one file" if sharded else ""
        raise ValueError(f"{path} does not exist{cure}")
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
            expected = (file.metadata() or {}).get("sha256")
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); take another copy of it") from error
    if expected is not None and expected != checksum(tensors):
        raise ValueError(f"{path} is damaged: its checksum does not match its weights; take another copy of it")
    tensors = {name: tensor for name, tensor in tensors.items() if not REDUNDANT.search(name)}
    if odd := [name for name, tensor in tensors.items() if not tensor.is_floating_point()]:
        raise ValueError(f"{path}: {odd[0]!r} holds {tensors[odd[0]].dtype}, no weights; save the model unquantised")
    return {to_ours(name): tensor.float() for name, tensor in tensors.items()}


def config_to_json(config: BertConfig, architecture: str) -> str:
    """Spell a configuration as Hugging Face's `config.json`."""
    values: dict[str, Any] = asdict(config) | {"architectures": [architecture], "model_type": "bert"}
    labels = values.pop("labels")
    values |= {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


# Settings of Hugging Face's BERT that change its numbers and that this model does not have: only these values will do.
REQUIRED = {
    "model_type": "bert",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}


def read_config(folder: Path, labels: tuple[str, ...] | None = None) -> BertConfig:
    """Read `config.json`; `labels` replaces the classes that it names."""
    path = folder / "config.json"
    if not path.is_file():
        raise ValueError(f"{folder} is not a checkpoint: it has no config.json")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON ({error}); take another copy of it") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds a {type(values).__name__}, not the settings of a model")
    for name, required in REQUIRED.items():
        if values.get(name, required) != required:
            raise ValueError(f"{path}: {name} is {values[name]!r}; this BERT only knows {required!r}")
    known = {field.name for field in fields(BertConfig)} - {"labels"}
    if missing := {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"} - values.keys():
        raise ValueError(f"{path} does not name {', '.join(sorted(missing))}; it is not a BERT's config")
    try:
        names = dict(values.get("id2label") or {})
        named = tuple(names[key] for key in sorted(names, key=int)) or BertConfig.labels
        return BertConfig(**{name: values[name] for name in known & values.keys()}, labels=labels or named)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
