"""Muon: momentum made orthogonal, for the matrices inside the layers; all else stays with AdamW.

A matrix's gradient is dominated by a few directions. The orthogonal matrix nearest to it moves in all of them alike, so
that rare things are learned as fast as frequent ones (Jordan et al., 2024, "Muon: an optimizer for hidden layers in
neural networks", a web page). The size of an update is that of Liu et al., 2025, "Muon is scalable for LLM training",
section 2.2, so that AdamW and Muon take the same learning rate.

Left out on purpose: fused query-key-value matrices, several devices. BERT itself was trained with Adam.
Taught in chapter 16.
"""

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.9
RMS = 0.2  # of an update, as large as AdamW's usually are, so that both take the same learning rate
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # the quintic's coefficients, and five rounds of it, are Jordan's
NEWTON_SCHULZ_ROUNDS = 5


class Muon(torch.optim.AdamW):
    """AdamW, but a group with `orthogonal=True` holds matrices whose momentum is made orthogonal.

    After a step these matrices have no gradient any more: that is how AdamW knows to pass over them.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update the matrices; what is left with a gradient is AdamW's."""
        if closure is not None:
            raise ValueError("Muon takes no closure: compute the gradients first, then call step()")
        for group in self.param_groups:
            if group["orthogonal"]:
                self._step_matrices(group)
        super().step()
        return None

    def _step_matrices(self, group: dict[str, Any]) -> None:
        """Matrices of one shape are stacked: one product for all of them."""
        of_shape: defaultdict[torch.Size, list[Tensor]] = defaultdict(list)
        for matrix in group["params"]:
            if matrix.grad is not None:
                of_shape[matrix.shape].append(matrix)
        for shape, matrices in of_shape.items():
            gradients = torch.stack([matrix.grad for matrix in matrices if matrix.grad is not None])
            momenta = torch.stack([self._momentum(matrix) for matrix in matrices]).lerp(gradients, 1 - MOMENTUM)
            updates = orthogonalize(gradients.lerp(momenta, MOMENTUM))  # Nesterov's look ahead
            rate = group["lr"] * RMS * math.sqrt(max(shape))
            for matrix, momentum, update in zip(matrices, momenta, updates, strict=True):
                self._momentum(matrix).copy_(momentum)
                matrix.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update, alpha=rate)
                matrix.grad = None

    def _momentum(self, matrix: Tensor) -> Tensor:
        state = self.state[matrix]
        if not state:  # AdamW, when it restores a state, wants to find a step in it
            state.update(step=torch.zeros(()), momentum=torch.zeros_like(matrix))
        momentum: Tensor = state["momentum"]
        return momentum


def orthogonalize(matrices: Tensor) -> Tensor:
    """Bring all singular values near 1 (0.7 to 1.2) by five rounds of a polynomial: (N, rows, columns), the same.

    Raises `ValueError` for what is no stack of matrices.
    """
    if matrices.ndim != 3:
        raise ValueError(f"a tensor of shape {tuple(matrices.shape)} is no stack of matrices: expected 3 axes")
    a, b, c = NEWTON_SCHULZ
    wide = matrices.mT if matrices.shape[1] > matrices.shape[2] else matrices
    wide = wide / (wide.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(NEWTON_SCHULZ_ROUNDS):
        square = wide @ wide.mT
        wide = a * wide + torch.baddbmm(square, square, square, beta=b, alpha=c) @ wide
    orthogonal: Tensor = wide.mT if matrices.shape[1] > matrices.shape[2] else wide
    return orthogonal


def hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    """The matrices inside a stack of layers (an `nn.ModuleList`): what `Muon` is for."""
    stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    found = {id(parameter): parameter for stack in stacks for parameter in stack.parameters()}
    return [parameter for parameter in found.values() if parameter.ndim == 2 and parameter.requires_grad]
