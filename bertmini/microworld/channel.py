"""BERT's corruption as a channel, and a batch taken apart into the texts that went through it.

The idea: masking is noise with known probabilities. A piece v arrives as o with probability K(o | v): most often
untouched, sometimes as [MASK], seldom as a random other piece. What a model sees is the output of this channel; what it
is asked for is the input. Selection is one coin per position (Bernoulli), as in Hugging Face's collator, so the channel
is a product.
Source: Devlin et al. 2019, section 3.1 and appendix A.1.
Left out on purpose: whole-word selection and a fixed number of masks per text; both couple positions, so the channel
would no longer be one factor per position.
Taught in chapter 05.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from bertmini.config import CLS, MASK, SEP, SPECIAL_TOKENS

_SPECIALS = len(SPECIAL_TOKENS)
_CLS, _SEP, _MASK = (SPECIAL_TOKENS.index(piece) for piece in (CLS, SEP, MASK))


@dataclass(frozen=True)
class Corruption:
    """BERT's channel: a position is selected with probability `rate`; a selected piece becomes [MASK], random or stays.

    A random piece is uniform over all pieces but the five special ones. `rate=0` is clean text; a [MASK] in it is a
    blank that we put there ourselves, and says nothing of what it hides.
    """

    rate: float = 0.15
    mask: float = 0.8
    random: float = 0.1
    keep: float = 0.1

    def __post_init__(self) -> None:
        """Raises unless these are probabilities and the three fates of a selected piece sum to 1."""
        if not 0 <= self.rate <= 1 or min(self.mask, self.random, self.keep) < 0:
            raise ValueError(f"{self}: expected probabilities")
        if abs(self.mask + self.random + self.keep - 1) > 1e-9:
            raise ValueError(f"{self}: mask, random and keep are what happens to a selected piece and must sum to 1")

    def table(self, emissions: Tensor) -> Tensor:
        """K as a table (U, V): the probability that an emission (U, V) is seen as each piece, selection unknown."""
        random_piece = self.rate * self.random / (emissions.shape[1] - _SPECIALS)
        seen = (1 - self.rate + self.rate * self.keep) * emissions
        seen[:, _SPECIALS:] += random_piece
        seen[:, _MASK] += self.rate * self.mask if self.rate else 1.0
        return seen

    def selected(self, cavity: Tensor, seen: Tensor) -> Tensor:
        """`cavity` (N, V) times K₁ for the pieces `seen` (N,), normalised: the posterior at selected positions."""
        random_piece = self.random / (cavity.shape[1] - _SPECIALS)
        blank = (seen == _MASK)[:, None]
        weights = torch.where(blank, self.mask * cavity, random_piece * cavity)
        weights.scatter_add_(1, seen[:, None], torch.where(blank, 0.0, self.keep * cavity.gather(1, seen[:, None])))
        total = weights.sum(1, keepdim=True)
        if bool((total <= 0).any()):
            raise ValueError(
                f"a scored position cannot have arisen from this world and {self}; is it that of the batch?"
            )
        return weights / total


BERT_CORRUPTION = Corruption()
CLEAN = Corruption(rate=0.0)


class Text(NamedTuple):
    """One text (first or second) of each sequence of a batch."""

    pieces: Tensor  # (B, T), padded with 0
    lengths: Tensor  # (B,)
    places: Tensor  # (B, T) index into input_ids.flatten()


def take_apart(batch: Mapping[str, Tensor]) -> list[Text]:
    """Takes `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]` apart, also where one row packs several sequences."""
    ids = batch["input_ids"].cpu()
    numbers = batch["attention_mask"].cpu() if "attention_mask" in batch else torch.ones_like(ids)
    types = batch["token_type_ids"].cpu() if "token_type_ids" in batch else torch.zeros_like(ids)
    flat = numbers.flatten().nonzero().squeeze(1)  # (N,) the real tokens
    rows = flat // ids.shape[1] * (int(numbers.max()) + 1) + numbers.flatten()[flat]
    _, sequence, sizes = torch.unique_consecutive(rows, return_inverse=True, return_counts=True)
    within = torch.arange(len(flat)) - (sizes.cumsum(0) - sizes)[sequence]
    first = torch.zeros_like(sizes).index_add_(0, sequence, (types.flatten()[flat] == 0).long())
    pieces = ids.flatten()[flat]
    special = (within == 0) | (within == first[sequence] - 1) | (within == sizes[sequence] - 1)
    expected = torch.where(within == 0, _CLS, _SEP)
    if bool((pieces[special] != expected[special]).any()) or bool((sizes == first).any() != (sizes == first).all()):
        raise ValueError(
            "expected rows [CLS] A [SEP] or all rows [CLS] A [SEP] B [SEP] with the ids of World.vocabulary()"
        )
    texts = []
    for second in (False, True) if bool((sizes > first).all()) else (False,):
        inside = ~special & ((within >= first[sequence]) == second)
        column = within[inside] - (first[sequence[inside]] if second else 1)
        lengths = torch.zeros_like(sizes).index_add_(0, sequence[inside], torch.ones_like(column))
        shape = (len(sizes), int(lengths.max()))
        where = (sequence[inside], column)
        texts.append(
            Text(
                torch.zeros(shape, dtype=torch.long).index_put(where, pieces[inside]),
                lengths,
                torch.zeros(shape, dtype=torch.long).index_put(where, flat[inside]),
            )
        )
    return texts
