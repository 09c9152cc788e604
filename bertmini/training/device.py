"""Where the arithmetic happens, and in which precision: the fastest that this machine has, unless told otherwise.

bf16 keeps float32's range with 8 bits of precision, so it needs no loss scaling (Kalamkar et al., 2019, "A study of
BFLOAT16 for deep learning training"). It is faster only where the hardware multiplies it; elsewhere it is slower.

Taught in chapter 07.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch

PRECISIONS = ("float32", "bf16", "auto")


def pick_device(name: str | torch.device = "auto") -> torch.device:
    """`"auto"` is CUDA, else Apple's MPS, else the CPU; any other name is torch's own (`"cpu"`, `"cuda:1"`).

    Raises `ValueError` if torch knows no such device, or this machine has none.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, here in available.items() if here))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"unknown device {name!r}: expected auto, cpu, cuda, cuda:1 ..., or mps") from None
    if not available.get(device.type, False) or (
        device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()
    ):
        here = ", ".join(kind for kind, found in available.items() if found)
        raise ValueError(f"device {name!r} is not on this machine, which has {here}: choose one of these, or 'auto'")
    return device


def has_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 in hardware: CUDA from capability 8.0 on, a CPU with AVX-512 BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        tell: Callable[[], Mapping[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)  # older torch cannot tell
        return any(tell().get(name, False) for name in ("avx512_bf16", "amx_bf16"))
    return False


def use_bf16(precision: str, device: torch.device) -> bool:
    """Whether to compute in bf16: `"auto"` where the device is made for it, `"bf16"` wherever torch can.

    Raises `ValueError` if bf16 is asked for on MPS.
    """
    if precision == "bf16" and device.type == "mps":
        raise ValueError("precision 'bf16' is not used on mps: take 'float32', or 'auto', which chooses by device")
    return precision == "bf16" or (precision == "auto" and has_bf16(device))
