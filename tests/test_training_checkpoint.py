import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from training_toys import Toy, ToyStream, toy_run

from bertmini.training import (
    Recipe,
    checkpoint_folders,
    make_optimizer,
    read_checkpoint,
    restore_checkpoint,
    save_checkpoint,
    train,
)

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


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    # 5,056 bytes of random state, 89 parameters of 4 bytes, a counter of 8, and the two characters of an empty state.
    monkeypatch.setattr(os, "fsync", raising(OSError(errno.ENOSPC, "No space left on device"), at=3))
    with pytest.raises(
        OSError, match=r"the disk is full: a checkpoint in .* needs about 5,422 bytes, 1,234 are free"
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
