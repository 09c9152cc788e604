"""One arithmetic for what the book stores: the same instructions on every x86 processor with AVX2.

    python -m tools.arithmetic    # the fingerprint of this process, and whether it is the stored one

PyTorch, MKL and oneDNN each choose kernels by processor. These round sums in another order, and a training run carries
the difference into digits that are printed. The variables of `PIN` choose for all of them; they are read when torch is
imported, so a process sets them first. MKL honours no value but COMPATIBLE on processors that are not Intel's.

The pin holds for the stored run alone (`make notebooks`, `make test`). `python -m bertmini` and a reader's Lab are free
of it; `make test-elsewhere` runs the chapters without it. `benchmarks/arithmetic.py` measures what it costs.
"""

import functools
import hashlib
from collections.abc import Mapping

PIN = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "AVX2"}
PINNED = "pinned"
ARITHMETICS: dict[str, dict[str, str]] = {
    PINNED: PIN,
    "ATen default": {"ATEN_CPU_CAPABILITY": "default"},
    "as it comes": {},
    "two threads": {"OMP_NUM_THREADS": "2"},
}
STORED = "7d5dc1c08570"  # the fingerprint under the pin: torch 2.13.0, x86 with AVX2


def under(arithmetic: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the variables of one of `ARITHMETICS`, with one thread unless it says otherwise.

    Raises `ValueError` if there is no such arithmetic.
    """
    if arithmetic not in ARITHMETICS:
        raise ValueError(f"arithmetic is {arithmetic!r}, expected one of {', '.join(map(repr, ARITHMETICS))}")
    free = {name: value for name, value in environment.items() if name not in PIN}
    return free | {"OMP_NUM_THREADS": "1"} | ARITHMETICS[arithmetic]


def fingerprint() -> str:
    """A checksum of the weights after a few steps of training, in the arithmetic of this process and on one thread."""
    import torch
    from torch.nn import functional as F

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(2, 3, 37, 20, generator=generator)
    labels = torch.randint(0, 20, (2 * 3 * 37,), generator=generator)
    weights = [torch.randn(size, generator=generator).mul_(0.3).requires_grad_() for size in [(20, 83), (83, 20)]]
    optimizer = torch.optim.AdamW(weights, lr=0.01)
    for _ in range(20):
        widened = F.gelu(hidden @ weights[0]) @ weights[1]
        met = F.scaled_dot_product_attention(widened, hidden, widened)
        loss = F.cross_entropy(F.layer_norm(hidden + met, (20,)).flatten(0, 2), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.set_num_threads(threads)
    return hashlib.sha256(b"".join(weight.detach().numpy().tobytes() for weight in weights)).hexdigest()[:12]


@functools.cache
def is_stored_one() -> bool:
    """Whether this process, if it was started under the pin, rounds as the stored run did."""
    return fingerprint() == STORED


if __name__ == "__main__":
    print(fingerprint(), "as stored" if is_stored_one() else f"not the stored {STORED}")
