import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from training_toys import Toy, ToyStream, toy_run

from bertmini.training.checkpoint import checkpoint_folders, read_checkpoint, restore_checkpoint, save_checkpoint
from bertmini.training.loop import train
from bertmini.training.optim import make_optimizer
from bertmini.training.recipe import Recipe

FILES = ("model.safetensors", "optimizer.safetensors", "random.safetensors", "state.json", "manifest.json")


def stepped(model: nn.Module) -> torch.optim.AdamW:
    """An optimiser that has made one step."""
    optimizer = make_optimizer(model)
    model(**next(ToyStream())).loss.backward()
    optimizer.step()
    return optimizer


def fresh_and_saved(folder: Path) -> tuple[Toy, Path]:
    torch.manual_seed(1)
    model = Toy()
    return model, save_checkpoint(folder, 7, model, stepped(model), {"place": [3, 1], "seconds": 0.1 + 0.2})


def resume(folder: Path, model: nn.Module | None = None, **change: Any) -> None:
    recipe = Recipe(**{"steps": 6, "learning_rate": 0.05, "checkpoint_every": 1, **change})
    train(model or Toy(), ToyStream(), recipe, device="cpu", checkpoints=folder, resume=True, progress=False)


def test_everything_comes_back(tmp_path: Path) -> None:
    model, folder = fresh_and_saved(tmp_path)
    drawn = torch.rand(3)
    torch.manual_seed(2)
    twin = Toy()
    optimizer = make_optimizer(twin)
    checkpoint = read_checkpoint(folder)
    restore_checkpoint(checkpoint, twin, optimizer)
    assert torch.equal(torch.rand(3), drawn)
    assert checkpoint.state == {"place": [3, 1], "seconds": 0.1 + 0.2}
    for ours, theirs in zip(twin.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert twin.seen.item() == 1
    moments = optimizer.state[twin.norm.bias]
    gradient = model.norm.bias.grad
    torch.testing.assert_close(moments["exp_avg"], 0.1 * gradient)
    assert moments["step"].item() == 1
    assert len(optimizer.state) == 4


def test_the_files_are_the_ones_described(tmp_path: Path) -> None:
    _, folder = fresh_and_saved(tmp_path)
    assert folder.name == "step-000007"
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000007"]


def test_a_tied_decoder_is_stored_once_and_stays_tied(tmp_path: Path) -> None:
    _, folder = fresh_and_saved(tmp_path)
    checkpoint = read_checkpoint(folder)
    assert "embedding.weight" in checkpoint.tensors["model"]
    assert "decoder.weight" not in checkpoint.tensors["model"]
    twin = Toy()
    restore_checkpoint(checkpoint, twin, make_optimizer(twin))
    assert twin.decoder.weight is twin.embedding.weight
    assert torch.equal(twin.decoder.weight, checkpoint.tensors["model"]["embedding.weight"])


def test_a_transposed_parameter_is_restored(tmp_path: Path) -> None:
    model = nn.Linear(3, 5)
    model.weight = nn.Parameter(torch.randn(3, 5).T)
    folder = save_checkpoint(tmp_path, 1, model, make_optimizer(model), {})
    twin = nn.Linear(3, 5)
    restore_checkpoint(read_checkpoint(folder), twin, make_optimizer(twin))
    assert torch.equal(twin.weight, model.weight)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".step-000001.unfinished").mkdir()
    (tmp_path / ".step-000001.unfinished" / "model.safetensors").write_bytes(b"half")
    model = Toy()
    for step in (999_998, 999_999, 1_000_000):
        save_checkpoint(tmp_path, step, model, make_optimizer(model), {})
    assert [path.name for path in checkpoint_folders(tmp_path)] == ["step-999999", "step-1000000"]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "flipped", "longer"])
def test_damage_is_named_with_its_cure(tmp_path: Path, name: str, damage: str) -> None:
    toy_run(tmp_path)
    checkpoints = tmp_path / "checkpoints"
    path = checkpoints / "step-000006" / name
    data = path.read_bytes()
    changed = {
        "empty": b"",
        "truncated": data[: len(data) // 2],
        "flipped": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
        "longer": data + b"\0",
    }
    path.unlink() if damage == "missing" else path.write_bytes(changed[damage])
    model = Toy()
    before = [parameter.clone() for parameter in model.parameters()]
    with pytest.raises(ValueError, match=r"step-000006.*(missing|damaged)") as caught:
        resume(checkpoints, model)
    if name != "manifest.json":
        assert name in str(caught.value)
    assert f"step-000005 is whole: delete {path.parent} and resume" in str(caught.value)
    assert all(map(torch.equal, before, model.parameters()))
    shutil.rmtree(path.parent)  # the cure that the error gives
    toy_run(tmp_path)
    assert [path.name for path in checkpoint_folders(checkpoints)] == ["step-000005", "step-000006"]


def test_the_cure_is_the_newest_that_is_whole(tmp_path: Path) -> None:
    _, first = fresh_and_saved(tmp_path)
    for copy in ("step-999998", "step-999999", "step-1000000", "step-final"):
        shutil.copytree(first, tmp_path / copy)
    for damaged in ("step-999999", "step-1000000"):
        (tmp_path / damaged / "state.json").unlink()
    with pytest.raises(ValueError, match=r"step-999998 is whole: delete .*step-1000000 and resume"):
        read_checkpoint(checkpoint_folders(tmp_path)[-1])


def test_no_other_checkpoint_is_whole(tmp_path: Path) -> None:
    toy_run(tmp_path)
    for folder in checkpoint_folders(tmp_path / "checkpoints"):
        (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match=r"has 0 bytes of \d+\. No other checkpoint is whole: start the run again"):
        resume(tmp_path / "checkpoints")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_every_flipped_bit_and_every_cut_is_noticed(
    tmp_path: Path, name: str, where: float, bit: int, cut: bool
) -> None:
    folder = tmp_path / "step-000007"
    if not folder.exists():
        fresh_and_saved(tmp_path)
    path = folder / name
    data = path.read_bytes()
    at = int(where * len(data))
    path.write_bytes(data[:at] if cut else data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :])
    with pytest.raises(ValueError, match="step-000007"):
        read_checkpoint(folder)
    path.write_bytes(data)
    assert read_checkpoint(folder).state["place"] == [3, 1]


def test_a_full_disk_names_folder_need_and_room_and_keeps_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, old = fresh_and_saved(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 9, 1234))  # type: ignore[attr-defined]
    # 5,056 bytes of random state, 89 parameters of 4 bytes, a counter of 8, and 17 letters: no moments are named.
    monkeypatch.setattr(os, "fsync", raising(OSError(errno.ENOSPC, "No space left on device"), at=3))
    with pytest.raises(
        OSError, match=r"the disk is full: a checkpoint in .* needs about 5,437 bytes, 1,234 are free"
    ) as caught:
        save_checkpoint(tmp_path, 8, model, make_optimizer(model), {})
    assert caught.value.errno == errno.ENOSPC
    assert str(tmp_path) in str(caught.value)
    assert "step-000007 is untouched: make room and resume" in str(caught.value)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [old]
    assert read_checkpoint(old).state["place"] == [3, 1]


def raising(error: Exception, at: int) -> Callable[..., None]:
    """Does nothing until call number `at`, which raises."""
    calls = iter(range(1, 1000))

    def call(*arguments: Any, **named: Any) -> None:
        if next(calls) == at:
            raise error

    return call


@pytest.mark.parametrize("at", range(1, 8))
def test_whatever_fails_while_writing_the_old_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    # Seven times fsync: five files, their folder, and the folder above after the renaming.
    model, old = fresh_and_saved(tmp_path)
    monkeypatch.setattr(os, "fsync", raising(OSError(errno.EIO, "Input/output error"), at))
    with pytest.raises(OSError, match="Input/output error"):
        save_checkpoint(tmp_path, 8, model, make_optimizer(model), {"place": [4, 0]})
    monkeypatch.undo()
    assert read_checkpoint(old).state["place"] == [3, 1]
    assert not list(tmp_path.glob(".*"))
    for whole in checkpoint_folders(tmp_path):  # after the renaming there are two, both whole
        assert read_checkpoint(whole).folder == whole
    assert len(checkpoint_folders(tmp_path)) == (2 if at == 7 else 1)


@pytest.mark.parametrize("name", ["replace", "mkdir"])
def test_a_failing_rename_or_folder_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    model, old = fresh_and_saved(tmp_path)
    monkeypatch.setattr(
        os, name, raising(PermissionError(errno.EACCES, "Permission denied"), 1 if name == "replace" else 2)
    )
    with pytest.raises(PermissionError):
        save_checkpoint(tmp_path, 8, model, make_optimizer(model), {})
    monkeypatch.undo()
    assert checkpoint_folders(tmp_path) == [old]
    assert read_checkpoint(old).state["place"] == [3, 1]


def test_a_state_that_is_not_json_leaves_nothing_behind(tmp_path: Path) -> None:
    model, old = fresh_and_saved(tmp_path)
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_checkpoint(tmp_path, 8, model, make_optimizer(model), {"generator": torch.zeros(2)})
    assert list(tmp_path.iterdir()) == [old]


def test_another_model_is_refused_and_left_alone(tmp_path: Path) -> None:
    _, folder = fresh_and_saved(tmp_path)
    checkpoint = read_checkpoint(folder)
    wider = Toy(size=8)
    before = wider.embedding.weight.clone()
    with pytest.raises(ValueError, match=r"'embedding.weight' is \(11, 6\) torch.float32 there and \(11, 8\)"):
        restore_checkpoint(checkpoint, wider, make_optimizer(wider))
    assert torch.equal(wider.embedding.weight, before)
    half = Toy().half()
    with pytest.raises(
        ValueError, match=r"'embedding.weight' is \(11, 6\) torch.float32 there and \(11, 6\) torch.float16"
    ):
        restore_checkpoint(checkpoint, half, make_optimizer(half))
    untied = Toy()
    untied.decoder.weight = nn.Parameter(torch.zeros(11, 6))
    with pytest.raises(ValueError, match=r"the model has 'decoder.weight', the checkpoint does not"):
        restore_checkpoint(checkpoint, untied, make_optimizer(untied))
    smaller = Toy()
    del smaller.norm
    with pytest.raises(ValueError, match=r"the checkpoint has 'norm.(weight|bias)', the model does not"):
        restore_checkpoint(checkpoint, smaller, make_optimizer(smaller))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 9}, r"step-000006 was made with steps=6, the recipe has 9: resume with the recipe as it was"),
        ({"learning_rate": 0.1}, "learning_rate=0.05, the recipe has 0.1"),
        ({"betas": (0.9, 0.98)}, r"betas=\[0.9, 0.999\], the recipe has \[0.9, 0.98\]"),
    ],
)
def test_another_recipe_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    toy_run(tmp_path)
    with pytest.raises(ValueError, match=message):
        resume(tmp_path / "checkpoints", **change)


def test_how_often_to_look_may_change(tmp_path: Path) -> None:
    toy_run(tmp_path)
    resume(tmp_path / "checkpoints", checkpoint_every=5, evaluate_every=2)
    assert checkpoint_folders(tmp_path / "checkpoints")[-1].name == "step-000006"


def test_a_new_run_does_not_mix_with_an_old_one(tmp_path: Path) -> None:
    toy_run(tmp_path)
    folder = tmp_path / "checkpoints"
    with pytest.raises(ValueError, match=r"holds step-000006 of an earlier run: resume it, or choose another folder"):
        train(Toy(), ToyStream(), Recipe(steps=6, learning_rate=0.05), device="cpu", checkpoints=folder)


def test_resuming_needs_a_folder_and_starts_when_it_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pass checkpoints=FOLDER"):
        train(Toy(), ToyStream(), Recipe(steps=6, learning_rate=0.05), device="cpu", resume=True)
    resume(tmp_path / "none yet")
    assert [path.name for path in checkpoint_folders(tmp_path / "none yet")] == ["step-000005", "step-000006"]


def test_random_states_of_gpus_are_saved_and_restored_where_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = [torch.arange(16, dtype=torch.uint8), torch.arange(16, 32, dtype=torch.uint8)]
    restored: dict[Any, list[int]] = {}
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: states)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: states[0].clone())
    _, folder = fresh_and_saved(tmp_path)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)  # one more than there was
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, i: restored.update({i: state.tolist()}))
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: restored.update({"mps": state.tolist()}))
    twin = Toy()
    restore_checkpoint(read_checkpoint(folder), twin, make_optimizer(twin))
    assert restored == {0: list(range(16)), 1: list(range(16, 32)), "mps": list(range(16))}


def test_the_manifest_lists_sizes(tmp_path: Path) -> None:
    _, folder = fresh_and_saved(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {name: line["bytes"] for name, line in manifest.items()} == {
        name: (folder / name).stat().st_size for name in FILES[:-1]
    }


# ---- forged: the manifest is right, what it lists is not ----


def forge(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Replace a file's content (tensors or JSON) and list it anew in the manifest."""
    path = folder / name
    if name.endswith(".json"):
        data = json.dumps(change(json.loads(path.read_text()))).encode()
    else:
        data = safetensors.torch.save(change(safetensors.torch.load(path.read_bytes())))
    path.write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda values: {name: value for name, value in values.items() if name not in names}


def put(name: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda values: {**values, name: value}


MOMENTS = ("norm.bias.step", "norm.bias.exp_avg", "norm.bias.exp_avg_sq")
FORGED: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "a moment is missing": ("optimizer.safetensors", without(MOMENTS[1]), "has other entries than state.json names"),
    "a parameter is missing": ("optimizer.safetensors", without(*MOMENTS), "has other entries than state.json names"),
    "all is missing": ("optimizer.safetensors", lambda _: {}, "has other entries than state.json names"),
    "a moment is short": ("optimizer.safetensors", put(MOMENTS[1], torch.zeros(2)), r"'norm.bias.exp_avg' is \(2,\)"),
    "a moment is empty": ("optimizer.safetensors", put(MOMENTS[2], torch.zeros(0)), r"exp_avg_sq' is \(0,\)"),
    "a moment is whole numbers": ("optimizer.safetensors", put(MOMENTS[1], torch.zeros(6).long()), "torch.int64"),
    "a step is a vector": ("optimizer.safetensors", put(MOMENTS[0], torch.zeros(6)), r"'norm.bias.step' is \(6,\)"),
    "random state of another size": (
        "random.safetensors",
        put("cpu", torch.zeros(16).byte()),
        "no state of this torch",
    ),
    "random state of another type": ("random.safetensors", put("cpu", torch.zeros(5056)), "no state of this torch"),
    "random state of zeros": ("random.safetensors", put("cpu", torch.zeros(5056).byte()), "no state of this torch"),
    "no random state": ("random.safetensors", lambda states: {"gpu": states["cpu"]}, "no state of this torch"),
    "another parameter": ("model.safetensors", put("more.weight", torch.zeros(2)), "the checkpoint has 'more.weight'"),
    "state is a list": ("state.json", lambda _: [1, 2], "is not what a training run writes"),
    "state is nothing": ("state.json", lambda _: None, "is not what a training run writes"),
    "no names": ("state.json", without("optimizer"), "is not what a training run writes"),
    "no history": ("state.json", without("history"), "is not what a training run writes"),
    "history is empty": ("state.json", put("history", []), "is not what a training run writes"),
    "history of words": ("state.json", put("history", [{"step": "6"}]), "is not what a training run writes"),
    "history is a number": ("state.json", put("history", 7), "is not what a training run writes"),
    "history of another step": ("state.json", put("history", [{"step": 5, "loss": 1.0}]), "ends with the step of"),
    "history of lists": ("state.json", put("history", [[6]]), "is not what a training run writes"),
    "recipe is a list": ("state.json", put("recipe", []), "is not what a training run writes"),
    "recipe is empty": ("state.json", put("recipe", {}), "was made with steps=None"),
    "stream is a word": ("state.json", put("stream", "here"), "is not what a training run writes"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_what_was_forged_is_named_before_anything_is_changed(tmp_path: Path, kind: str) -> None:
    toy_run(tmp_path)
    folder = tmp_path / "checkpoints" / "step-000006"
    name, change, message = FORGED[kind]
    forge(folder, name, change)
    model = Toy()
    before = [parameter.clone() for parameter in model.parameters()]
    drawn = torch.get_rng_state()
    with pytest.raises(ValueError, match=message) as caught:
        resume(tmp_path / "checkpoints", model)
    assert str(folder) in str(caught.value)
    assert all(map(torch.equal, before, model.parameters()))
    assert torch.equal(torch.get_rng_state(), drawn)


def test_a_pipe_for_a_manifest_is_not_waited_for(tmp_path: Path) -> None:
    toy_run(tmp_path)
    path = tmp_path / "checkpoints" / "step-000006" / "manifest.json"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ValueError, match=r"manifest\.json is missing or damaged"):
        resume(tmp_path / "checkpoints")


def test_a_disk_with_room_but_no_inodes_is_not_told_to_be_short_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = fresh_and_saved(tmp_path)
    for number in (errno.ENOSPC, errno.EDQUOT):
        monkeypatch.setattr(os, "fsync", raising(OSError(number, "no"), at=1))
        with pytest.raises(OSError, match="there is room, but not for another file: no inodes, or a quota"):
            save_checkpoint(tmp_path, 8, model, make_optimizer(model), {})


def test_muons_momentum_is_checked_and_comes_back(tmp_path: Path) -> None:
    class Layers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(3, 5)])

    model, twin = Layers(), Layers()
    optimizer, other = (make_optimizer(one, name="muon") for one in (model, twin))
    model.layers[0](torch.ones(2, 3)).sum().backward()
    optimizer.step()
    folder = save_checkpoint(tmp_path, 7, model, optimizer, {})
    restore_checkpoint(read_checkpoint(folder), twin, other)
    weight = model.layers[0].weight
    assert torch.equal(other.state[twin.layers[0].weight]["momentum"], optimizer.state[weight]["momentum"])
    forge(folder, "optimizer.safetensors", put("layers.0.weight.momentum", torch.zeros(5, 2)))
    with pytest.raises(ValueError, match=r"'layers.0.weight.momentum' is \(5, 2\)"):
        restore_checkpoint(read_checkpoint(folder), twin, other)
    adam = make_optimizer(twin)
    forge(folder, "optimizer.safetensors", put("layers.0.weight.momentum", torch.zeros(5, 3)))
    with pytest.raises(
        ValueError, match=r"has momentum, step of 'layers.0.weight', it must have exp_avg, exp_avg_sq, step"
    ):
        restore_checkpoint(read_checkpoint(folder), twin, adam)
