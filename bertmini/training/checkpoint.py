"""A training run on disk: written whole or not at all, checked to the byte when read, resumed to the bit.

A checkpoint is a folder `step-000100` below the run's checkpoint folder:

- `model.safetensors`: parameters and buffers by name; a tensor with two names (the tied decoder) is written once.
- `optimizer.safetensors`: AdamW's moments, named `<parameter>.exp_avg` and so on.
- `random.safetensors`: torch's global generators (CPU, every CUDA device, MPS), from which dropout draws.
- `state.json`: what the loop adds: step, recipe, position in the data, history.
- `manifest.json`: size and SHA-256 of each of these, so that damage is noticed and named.

It is written by `bertmini.files.whole_folder`, whole or not at all, so whoever pulls the plug, whenever, finds the last
complete checkpoint. No pickle: loading one can run any code that its author put there.

Left out on purpose: the global generators of Python and NumPy (nothing here draws from them: randomness enters as a
`torch.Generator`, whose state belongs to the stream), sharded and asynchronous writing.

Taught in chapter 07.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from bertmini.files import UNFINISHED, read_json, remove_folder, whole_folder

KEPT = 2  # the newest checkpoints that stay: the second covers for damage to the first
TENSOR_FILES = ("model", "optimizer", "random")


class Checkpoint(NamedTuple):
    """A checkpoint in memory: tensors by name for `model`, `optimizer` and `random`, and the loop's `state`."""

    folder: Path
    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


def checkpoint_folders(folder: Path) -> list[Path]:
    """List the finished checkpoints in `folder`, oldest first; none where there is no such folder."""
    numbers = {path: path.name.removeprefix("step-") for path in folder.glob("step-*")}
    return sorted((path for path in numbers if numbers[path].isdecimal()), key=lambda path: int(numbers[path]))


def save_checkpoint(
    folder: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, state: Mapping[str, Any]
) -> Path:
    """Write the checkpoint of `step` into `folder`, drop all but the last two, and return its path.

    Raises `OSError` if the disk is full or broken. What was there before stays, the half-written folder goes.
    """
    target = folder / f"step-{step:06d}"
    for leftover in folder.glob(f".step-*{UNFINISHED}"):  # of a run that was killed while it wrote
        shutil.rmtree(leftover)
    tensors = {
        "model": _distinct(model),
        "optimizer": _optimizer_tensors(model, optimizer),
        "random": _random_states(),
    }
    # The names say which parameters have been updated: what is missing later would be begun anew, in silence.
    text = json.dumps({**state, "optimizer": sorted(tensors["optimizer"])}).encode()
    try:
        with whole_folder(target) as aside:
            _write(aside, tensors, text)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _full_disk(folder, len(text), tensors) from error
    for old in checkpoint_folders(folder)[:-KEPT]:
        remove_folder(old)
    return target


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read the checkpoint in `folder`, each of its files compared with the manifest.

    Raises `ValueError` for a file that is missing, short, empty or altered; names it, and another checkpoint that is
    whole.
    """
    damage = _damage(folder)
    if damage:
        raise ValueError(f"{damage}. {_cure(folder)}")
    try:
        tensors = {name: safetensors.torch.load((folder / f"{name}.safetensors").read_bytes()) for name in TENSOR_FILES}
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        names = state.pop("optimizer")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, SafetensorError) as error:
        raise ValueError(f"{folder} is not what a training run writes ({error!r}). {_cure(folder)}") from error
    if names != sorted(tensors["optimizer"]):
        raise ValueError(f"{folder / 'optimizer.safetensors'} has other entries than state.json names. {_cure(folder)}")
    return Checkpoint(folder, tensors, state)


def restore_checkpoint(checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put model, optimiser and random states back, in place; nothing is touched unless all of it fits.

    Raises `ValueError` if the model has other parameters, or the same under other names or in other shapes.
    """
    stored, own = checkpoint.tensors["model"], _distinct(model)
    for name in stored.keys() ^ own.keys():
        owner, other = ("checkpoint", "model") if name in stored else ("model", "checkpoint")
        raise ValueError(
            f"{checkpoint.folder}: the {owner} has {name!r}, the {other} does not: build the model as it was"
        )
    for name, tensor in own.items():
        if (tensor.shape, tensor.dtype) != (stored[name].shape, stored[name].dtype):
            here, there = (f"{tuple(t.shape)} {t.dtype}" for t in (tensor, stored[name]))
            raise ValueError(
                f"{checkpoint.folder}: {name!r} is {there} there and {here} here: build the model as it was"
            )
    moments = _checked_moments(checkpoint, own, optimizer)
    _check_random_states(checkpoint)
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(stored[name])
    # Through torch's own function, which knows which state goes where.
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    _restore_random_states(checkpoint.tensors["random"])


def _write(folder: Path, tensors: Mapping[str, dict[str, Tensor]], state: bytes) -> None:
    """All files of a checkpoint, and the manifest of their sizes and SHA-256."""
    files = {"state.json": state}
    for name, values in tensors.items():
        whole = {key: value.detach().cpu().contiguous() for key, value in values.items()}
        files[f"{name}.safetensors"] = safetensors.torch.save(whole)
    manifest = {}
    for name, data in files.items():
        (folder / name).write_bytes(data)
        manifest[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _damage(folder: Path) -> str:
    """What is wrong with the checkpoint's files, in words; empty when all is well."""
    try:
        manifest = read_json(folder / "manifest.json")
        expected = {name: (line["bytes"], line["sha256"]) for name, line in manifest.items()}
    except (OSError, ValueError, TypeError, KeyError):
        return f"{folder / 'manifest.json'} is missing or damaged"
    for name in (*(f"{name}.safetensors" for name in TENSOR_FILES), "state.json"):
        path = folder / name
        if name not in expected or not path.is_file():
            return f"{path} is missing" if name in expected else f"{folder / 'manifest.json'} does not list {name}"
        size, digest = expected[name]
        if path.stat().st_size != size:
            return f"{path} is damaged: it has {path.stat().st_size} bytes of {size}"
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            return f"{path} is damaged: its bytes are not those that were written (SHA-256 differs)"
    return ""


def _cure(folder: Path) -> str:
    """Where to go on from. The choice is the reader's: a disk that damages files should not go unnoticed."""
    for other in reversed(checkpoint_folders(folder.parent)):
        if other.name != folder.name and not _damage(other):
            return f"{other.name} is whole: delete {folder} and resume, and the run goes on from there"
    return "No other checkpoint is whole: start the run again, in another folder"


def _full_disk(folder: Path, state: int, tensors: Mapping[str, Mapping[str, Tensor]]) -> OSError:
    needed = state + sum(tensor.nbytes for values in tensors.values() for tensor in values.values())
    free = shutil.disk_usage(folder).free
    kept = checkpoint_folders(folder)
    room = (
        f"{free:,} are free" if free < needed else "and there is room, but not for another file: no inodes, or a quota"
    )
    message = (
        f"the disk is full: a checkpoint in {folder} needs about {needed:,} bytes, {room}. "
        f"{f'{kept[-1].name} is untouched' if kept else 'None was written before'}: make room and resume"
    )
    return OSError(errno.ENOSPC, message)


def _distinct(model: nn.Module) -> dict[str, Tensor]:
    """The model's tensors, each under the first of its names: a decoder tied to the embeddings is one tensor."""
    first: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        first.setdefault(id(tensor), (name, tensor))
    return dict(first.values())


def _optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    names = {id(tensor): name for name, tensor in _distinct(model).items()}
    return {
        f"{names[id(parameter)]}.{key}": value
        for parameter, values in optimizer.state.items()
        for key, value in values.items()
    }


def _checked_moments(
    checkpoint: Checkpoint, own: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> dict[int, dict[str, Tensor]]:
    """The optimiser's state by the number of the parameter, as torch wants it.

    Raises `ValueError` for a parameter that is not trained here, and for entries that are missing or of another shape:
    the fused optimiser would read past their end.
    """
    path = checkpoint.folder / "optimizer.safetensors"
    numbers = {id(parameter): i for i, parameter in enumerate(p for g in optimizer.param_groups for p in g["params"])}
    orthogonal = {id(p) for group in optimizer.param_groups if group.get("orthogonal") for p in group["params"]}
    state: dict[int, dict[str, Tensor]] = {}
    for entry, tensor in checkpoint.tensors["optimizer"].items():
        name, _, key = entry.rpartition(".")
        if name not in own or id(own[name]) not in numbers:
            raise ValueError(f"{path} has {entry!r}, but no such parameter is trained: build the model as it was")
        shape = torch.Size() if key == "step" else own[name].shape
        if tensor.shape != shape or not tensor.is_floating_point():
            raise ValueError(f"{path}: {entry!r} is {tuple(tensor.shape)} {tensor.dtype}, it must be {tuple(shape)}")
        state.setdefault(numbers[id(own[name])], {})[key] = tensor
    for name, parameter in own.items():
        keys = {"step", "momentum"} if id(parameter) in orthogonal else {"step", "exp_avg", "exp_avg_sq"}
        found = state.get(numbers.get(id(parameter), -1), {}).keys()
        if found and found != keys:
            raise ValueError(
                f"{path} has {', '.join(sorted(found))} of {name!r}, it must have {', '.join(sorted(keys))}"
            )
    return state


def _check_random_states(checkpoint: Checkpoint) -> None:
    """See that torch takes the state of the CPU's generator, before anything is changed."""
    try:
        torch.Generator().set_state(checkpoint.tensors["random"]["cpu"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"{checkpoint.folder / 'random.safetensors'} holds no state of this torch's generator ({error}): "
            "resume with the torch that the run was begun with"
        ) from error


def _random_states() -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # else nothing was drawn there
        states |= {f"cuda:{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    if torch.backends.mps.is_available():
        states["mps"] = torch.mps.get_rng_state()
    return states


def _restore_random_states(states: Mapping[str, Tensor]) -> None:
    """Those of the devices that are here: a run begun on a GPU may go on elsewhere, though not to the bit."""
    torch.set_rng_state(states["cpu"])
    for i in range(torch.cuda.device_count()):
        if f"cuda:{i}" in states:
            torch.cuda.set_rng_state(states[f"cuda:{i}"], i)
    if "mps" in states and torch.backends.mps.is_available():
        torch.mps.set_rng_state(states["mps"])
