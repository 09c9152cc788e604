"""Hide some tokens, remember what they were: the masked language model's input and its labels.

Each token is selected with probability 15 %, independently (as in Hugging Face's collator; Google's code draws an exact
number). Of the selected, 80 % become [MASK], 10 % a random piece, 10 % stay (Devlin et al. 2019, section 3.1 and
appendix A.1). One uniform number decides among the three, so the shares are exactly these.

Special tokens and padding are never selected, and never drawn as the random piece. Taught in chapter 05.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from bertmini.config import IGNORED, MASK, SPECIAL_TOKENS


class Masked(NamedTuple):
    """The corrupted ids, and the original ones where they were selected, -100 elsewhere; (B, S) both."""

    input_ids: Tensor
    labels: Tensor


class Masking:
    """How to mask texts of one vocabulary.

    >>> masking = Masking(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s"], rate=0.5)
    >>> masked = masking(torch.tensor([[2, 5, 6, 7, 3, 0]]), generator=torch.Generator().manual_seed(3))
    >>> masked.labels
    tensor([[-100,    5,    6,    7, -100, -100]])
    """

    def __init__(
        self,
        pieces: Sequence[str],
        *,
        special_tokens: Sequence[str] = SPECIAL_TOKENS,
        mask_token: str = MASK,
        rate: float = 0.15,
        mask_share: float = 0.8,
        random_share: float = 0.1,
        whole_words: bool = False,
    ) -> None:
        """Prepare for a vocabulary, `pieces[id]`; what is neither masked nor random (here 10 %) is kept.

        `whole_words` selects all pieces of a word together or none. Raises `ValueError` for rates that are none, and
        for a vocabulary without `mask_token` or without any piece but special ones.
        """
        if not 0 < rate <= 1:
            raise ValueError(f"masking rate {rate} selects nothing or too much; choose one in (0, 1], BERT's is 0.15")
        if min(mask_share, random_share) < 0 or mask_share + random_share > 1:
            raise ValueError(f"mask_share {mask_share} and random_share {random_share} must be shares of one whole")
        if mask_token not in pieces or not set(pieces) - set(special_tokens):
            raise ValueError(f"the vocabulary of {len(pieces)} pieces needs {mask_token!r} and one that is not special")
        self.rate, self.mask_share, self.random_share, self.whole_words = rate, mask_share, random_share, whole_words
        self.mask_id = pieces.index(mask_token)
        self.maskable = torch.tensor([piece not in special_tokens for piece in pieces])  # (V,)
        self.random_ids = self.maskable.nonzero().squeeze(1)
        self.continues = torch.tensor([piece.startswith("##") for piece in pieces])  # (V,)

    def __call__(self, input_ids: Tensor, *, generator: torch.Generator) -> Masked:
        """Corrupt ids (B, S) on the CPU; the input is left as it was."""
        maskable = self.maskable[input_ids]
        chance = torch.rand(input_ids.shape, generator=generator)
        if self.whole_words:
            begins = ~(self.continues[input_ids] & maskable)
            word = begins.cumsum(dim=1) - 1  # (B, S) number of the word that a piece belongs to
            chance = chance.gather(1, word.clamp(min=0))
        selected = maskable & (chance < self.rate)
        fate = torch.rand(input_ids.shape, generator=generator)
        other = self.random_ids[torch.randint(len(self.random_ids), input_ids.shape, generator=generator)]
        corrupted = torch.where(selected & (fate < self.mask_share), self.mask_id, input_ids)
        swapped = selected & (fate >= self.mask_share) & (fate < self.mask_share + self.random_share)
        return Masked(torch.where(swapped, other, corrupted), torch.where(selected, input_ids, IGNORED))
