"""What every BERT can do: start from random weights, be saved, be loaded.

A checkpoint is a folder in Hugging Face's format: `config.json`, and `model.safetensors` or several such files with an
index. Whatever `transformers` acts on is acted on alike or refused by name. Pickled weights (`pytorch_model.bin`) are
refused, since loading them runs their code.

Left out on purpose: downloads, saving in several files. Taught in chapter 20.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Self

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from bertmini.config import BertConfig
from bertmini.files import find_checkpoint, is_regular, read_json, write_atomically
from bertmini.model.hub import CONSTANT, HEADS, TWINS, to_ours, to_theirs


class Pretrained(nn.Module):
    """What every BERT can do: start from random weights, be saved, be loaded."""

    def __init__(self, config: BertConfig) -> None:
        """Remember the configuration."""
        super().__init__()
        self.config = config
        self.new_weights: tuple[str, ...] = ()
        """Parameters that `from_pretrained` did not find in the checkpoint and left at random numbers, by name."""

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
    def from_pretrained(cls, folder: str | Path, *, new_head: bool = False, **overrides: Any) -> Self:
        """Load a checkpoint that `save_pretrained` or `transformers` wrote; in evaluation mode, float32, on the CPU.

        `folder` may be the name of a model that comes with the package: "english", see `files.find_checkpoint`.
        `new_head=True` starts the task's head (and the pooler, if the checkpoint has none) from random numbers, for
        fine-tuning; `new_weights` then names them. Other heads in the checkpoint are passed over. `overrides` are
        fields of `BertConfig` to be had otherwise than in config.json, such as `labels=("no", "yes")` or
        `hidden_dropout_prob=0.2`.
        Raises `ValueError` naming the file, the tensor and the cure for anything missing, damaged, of another shape
        or of an architecture that is not BERT's.
        """
        config = read_config(Path(folder), **overrides)
        # Random weights that a checkpoint would replace are not drawn: on the meta device there is nothing to draw.
        with torch.device("cpu" if new_head else "meta"):
            model = cls(config)
        random = model.state_dict()
        state = match(random, read_tensors(Path(folder)), new_head=new_head)
        model.load_state_dict(state, assign=True)
        model.new_weights = tuple(name for name in random if state[name] is random[name])
        return model.eval()


def match(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], *, new_head: bool) -> dict[str, Tensor]:
    """Fill a model's state from a checkpoint's tensors, both under our names, with or without the prefix `bert.`."""
    found = join_twins({name.removeprefix("bert."): tensor for name, tensor in found.items()}, "mlm.bias" in wanted)
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


def join_twins(found: Mapping[str, Tensor], predicts_pieces: bool) -> dict[str, Tensor]:
    """Keep one of each pair of tied tensors, under its first name; refuse a model whose decoder is not tied after all.

    A model that predicts no pieces has no decoder, and does not care.
    """
    joined = {name: tensor for name, tensor in found.items() if name not in TWINS}
    for second, first in TWINS.items():
        if second not in found:
            continue
        twin = joined.setdefault(first, found[second])
        if predicts_pieces and not twin.equal(found[second]):
            raise ValueError(
                f"{to_theirs(second)!r} differs from {to_theirs(first)!r}: this BERT's decoder is tied, and would "
                "predict otherwise than the model that was saved; make them equal and save it again"
            )
    return joined


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
    """Read a checkpoint's tensors, from one file or several, under our names, in float32."""
    folder = find_checkpoint(folder)
    tensors: dict[str, Tensor] = {}
    for path in weight_files(folder):
        tensors |= read_file(path)
    constant = {name for name in tensors if CONSTANT.search(name)}
    for name in constant:
        if not tensors[name].flatten().equal(torch.arange(tensors[name].numel())):
            raise ValueError(f"{folder}: {name!r} does not count from 0; this BERT's positions do, and nothing else")
    weights = {name: tensor for name, tensor in tensors.items() if name not in constant}
    if odd := [name for name, tensor in weights.items() if not tensor.is_floating_point()]:
        raise ValueError(f"{folder}: {odd[0]!r} holds {weights[odd[0]].dtype}, no weights; save the model unquantised")
    return {to_ours(name): tensor.float() for name, tensor in weights.items()}


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a checkpoint's weights: `model.safetensors`, or those that an index beside it names."""
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if is_regular(whole):
        return [whole]
    if is_regular(index):
        names = read_json(index).get("weight_map")
        if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()) or not names:
            raise ValueError(f"{index} names no files in its weight_map; take another copy of it")
        files = sorted(set(names.values()))
        if strange := [name for name in files if Path(name).name != name]:
            raise ValueError(f"{index} names {strange[0]!r}, which is not a file beside it; take another copy of it")
        if missing := [name for name in files if not (folder / name).is_file()]:
            raise ValueError(f"{folder / missing[0]} does not exist, though {index.name} names it: copy all files")
        return [folder / name for name in files]
    if (folder / "pytorch_model.bin").is_file():
        raise ValueError(
            f"{folder} holds only pytorch_model.bin, a pickle, and loading a pickle runs whatever code is in it; "
            "load it with transformers where you trust it, and save it again as safetensors"
        )
    raise ValueError(f"{whole} does not exist")


def read_file(path: Path) -> dict[str, Tensor]:
    """Read one safetensors file under its own names; a checksum that stands in it must be right.

    safetensors opens a file twice, for its header and for its numbers. If another one has taken its place meanwhile,
    what was read belongs to both, and is read again.
    """
    fault = None
    with path.open("rb") as opened:  # says what is wrong, where safetensors says of all that it does not exist
        try:
            tensors = _checked_tensors(path)
        except ValueError as error:
            fault = error
        with path.open("rb") as present:
            replaced = not os.path.sameopenfile(opened.fileno(), present.fileno())
    if replaced:
        return read_file(path)
    if fault is not None:
        raise fault
    return tensors


def _checked_tensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
            expected = (file.metadata() or {}).get("sha256")
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); take another copy of it") from error
    if expected is not None and expected != checksum(tensors):
        raise ValueError(f"{path} is damaged: its checksum does not match its weights; take another copy of it")
    return tensors


def config_to_json(config: BertConfig, architecture: str) -> str:
    """Spell a configuration as Hugging Face's `config.json`."""
    values: dict[str, Any] = asdict(config) | {"architectures": [architecture], "model_type": "bert"}
    labels = values.pop("labels")
    values |= {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


# Settings of Hugging Face's BERT that change its numbers and that this model does not have: only these values will do.
REQUIRED: dict[str, tuple[Any, ...]] = {
    "model_type": ("bert",),
    "position_embedding_type": ("absolute",),
    "is_decoder": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True,),
    "problem_type": (None, "single_label_classification"),  # others have other losses
}


def read_config(folder: Path, **overrides: Any) -> BertConfig:
    """Read `config.json`; `overrides` are fields of `BertConfig` to be had otherwise.

    Raises `ValueError` for what is no BERT's configuration, and for an override that is no field.
    """
    folder = find_checkpoint(folder)
    path = folder / "config.json"
    if not is_regular(path):
        raise ValueError(f"{folder} is not a checkpoint: it has no config.json")
    known = {field.name for field in fields(BertConfig)}
    if unknown := overrides.keys() - known:
        raise ValueError(f"{min(unknown)!r} is no setting of a BERT: expected some of {', '.join(sorted(known))}")
    values = read_json(path)
    for name, allowed in REQUIRED.items():
        if values.get(name, allowed[0]) not in allowed:
            raise ValueError(f"{path}: {name} is {values[name]!r}; this BERT only knows {allowed[-1]!r}")
    if missing := {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"} - values.keys():
        raise ValueError(f"{path} does not name {', '.join(sorted(missing))}; it is not a BERT's config")
    if values.get("pad_token_id", 0) is None:  # no piece fills up: this model would not look at it anyway
        del values["pad_token_id"]
    settings = {name: values[name] for name in (known - {"labels"}) & values.keys()}
    try:
        return BertConfig(**settings | {"labels": class_names(values)} | overrides)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def class_names(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes that a config.json names, in order; those that it only counts are LABEL_0, LABEL_1, ..."""
    names = values.get("id2label")
    if names:
        return tuple(str(names[key]) for key in sorted(names, key=int))
    count = values.get("num_labels", len(BertConfig.labels))
    return tuple(f"LABEL_{number}" for number in range(int(count)))
