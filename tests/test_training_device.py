import pytest
import torch

from bertmini.training.device import has_bf16, pick_device, use_bf16


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, True, "cuda")],
)
def test_the_fastest_device_is_picked(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto") == torch.device(expected)


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match="'cuda' is not on this machine, which has cpu"):
        pick_device("cuda")


def test_a_gpu_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ValueError, match="'cuda:2' is not on this machine"):
        pick_device("cuda:2")


def test_a_device_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="unknown device 'gpu': expected auto, cpu, cuda"):
        pick_device("gpu")


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_bf16_by_cuda_capability(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: bool) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert has_bf16(torch.device("cuda")) is expected


@pytest.mark.parametrize(
    ("capabilities", "expected"), [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx2": True}, False)]
)
def test_bf16_by_processor(monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    cpu = torch.device("cpu")
    assert has_bf16(cpu) is expected
    assert [use_bf16(precision, cpu) for precision in ("float32", "auto", "bf16")] == [False, expected, True]


def test_an_older_torch_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert has_bf16(torch.device("cpu")) is False


def test_no_bf16_on_mps() -> None:
    mps = torch.device("mps")
    assert use_bf16("auto", mps) is False
    with pytest.raises(ValueError, match="'bf16' is not used on mps: take 'float32'"):
        use_bf16("bf16", mps)
