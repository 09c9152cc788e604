"""Posteriors as they are reported: entropy, Bayes accuracy, a model's distance, and how sure we are of it.

The idea: a model's distance from the optimum is KL(p* ‖ q), an average of numbers that cannot be negative. The
difference of two cross-entropies has the same expectation and a standard error larger than what is left of it at the
end of training: both losses depend on the luck of the true word, the divergence does not (it is Rao-Blackwellised).
Source: Cochran 1977, "Sampling Techniques", section 6.4, for the error of a ratio of sums.
Left out on purpose: confidence intervals by resampling; they agree and take longer.
Taught in chapter 05.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class Estimate(NamedTuple):
    """A mean and its standard error."""

    mean: float
    standard_error: float


def clustered_mean(values: Tensor, sequence: Tensor) -> Estimate:
    """The mean of `values` (N,) with a standard error that knows that positions of one sequence go together.

    `sequence` (N,) says where each value comes from. The error is that of a ratio of sums over sequences (Cochran 1977,
    section 6.4), so long sequences count as one observation, not as many.
    """
    values = values.double()
    _, group = torch.unique(sequence, return_inverse=True)
    count = int(group.max()) + 1
    mean = values.mean()
    residuals = torch.zeros(count, dtype=torch.float64).index_add_(0, group, values - mean)
    scale = count / (count - 1) if count > 1 else float("nan")
    return Estimate(float(mean), float((residuals.square().sum() * scale).sqrt() / len(values)))


@dataclass(frozen=True)
class LabelFloor:
    """The posterior of a label: `probabilities` (N, number of `values`); row n belongs to `sequence[n]`."""

    values: list[str]
    probabilities: Tensor
    sequence: Tensor

    @property
    def entropy(self) -> Tensor:
        """(N,) nats: the least possible loss."""
        p_log_p: Tensor = torch.special.xlogy(self.probabilities, self.probabilities)
        return -p_log_p.sum(1)

    @property
    def accuracy(self) -> Tensor:
        """(N,) the probability that the best guess is right."""
        return self.probabilities.amax(1)

    def kl(self, logits: Tensor) -> Tensor:
        """(N,) nats: KL(p* ‖ softmax(logits)), how far a model is from the floor; never negative."""
        if logits.shape != self.probabilities.shape:
            raise ValueError(f"logits of shape {tuple(logits.shape)}: expected {tuple(self.probabilities.shape)}")
        q = logits.detach().double().cpu().log_softmax(1)
        return -self.entropy - torch.where(self.probabilities > 0, self.probabilities * q, 0.0).sum(1)


@dataclass(frozen=True)
class WordFloor(LabelFloor):
    """The posterior of the word at each scored position, in reading order; `values` is the vocabulary."""

    targets: Tensor  # (N,) the true pieces
    seen: Tensor  # (N,) the pieces in the corrupted input


@dataclass(frozen=True)
class TokenFloor(LabelFloor):
    """The posterior of a label of each piece; `positions` (N,) points into `input_ids.flatten()`."""

    positions: Tensor


def kl_from_optimum(logits: Tensor, floor: LabelFloor) -> Estimate:
    """Mean KL(p* ‖ model) in nats, with a standard error clustered by sequence; `logits` (N, V), scored positions."""
    return clustered_mean(floor.kl(logits), floor.sequence)
