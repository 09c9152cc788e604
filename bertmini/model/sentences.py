"""One vector for a text, and two losses that bring the vectors of texts which belong together nearer to each other.

The vector is the mean of the states of all tokens (Reimers and Gurevych 2019, "Sentence-BERT", section 3: better there
than [CLS]); two texts are compared by the cosine of their vectors. Each text is read alone, so that a million of them
need be read only once.

Shapes: D texts in a batch, N of them with a partner, S tokens, E hidden. Left out on purpose: other ways to pool.
Taught in chapter 11.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from bertmini.config import BertConfig
from bertmini.model.encoder import BertModel
from bertmini.model.losses import mean_cross_entropy
from bertmini.model.pretrained import Pretrained

TEMPERATURE = 0.05


class SentenceOutput(NamedTuple):
    """Loss, and a vector for each text: (D, E)."""

    loss: Tensor | None
    vectors: Tensor


class BertForSentences(Pretrained):
    """A vector for each text: the mean of its tokens' states."""

    def __init__(self, config: BertConfig) -> None:
        """Build with random weights, drawn from PyTorch's global generator; there is no head."""
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        partners: Tensor | None = None,
        scores: Tensor | None = None,
    ) -> SentenceOutput:
        """Read D texts; `partners` (N,) are the rows of the first N texts' partners, for the loss.

        Without `scores` a text must pick its partner among all rows from N on: `contrastive_loss`. With them, (N,), the
        loss is the mean squared distance of cosine and score. Rows must not be packed.
        """
        states = self.bert(input_ids, token_type_ids, attention_mask).last_hidden_state
        vectors = mean_of_tokens(states, attention_mask)
        if partners is None:
            return SentenceOutput(None, vectors)
        count = len(partners)
        if scores is None:
            return SentenceOutput(contrastive_loss(vectors[:count], vectors[count:], partners - count), vectors)
        cosines = F.cosine_similarity(vectors[:count].float(), vectors[partners].float())
        return SentenceOutput(F.mse_loss(cosines, scores), vectors)


def mean_of_tokens(states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
    """Average the states of a text's tokens, padding left out: (D, S, E) to (D, E).

    >>> mean_of_tokens(Tensor([[[1], [3], [99]]]), Tensor([[1, 1, 0]]))
    tensor([[2.]])
    """
    if attention_mask is None:
        return states.mean(1)
    there = attention_mask.bool()[..., None]
    return states.masked_fill(~there, 0).sum(1) / there.sum(1).clamp(min=1)


def contrastive_loss(
    texts: Tensor, candidates: Tensor, partners: Tensor, *, temperature: float = TEMPERATURE
) -> Tensor:
    """Cross-entropy of picking each text's partner among all candidates by cosine / temperature, in nats.

    `texts` (N, E), `candidates` (M, E), `partners` (N,) their places among the candidates. The partners of the other
    texts are the wrong answers, so two texts of a batch must not share one (Henderson et al. 2017; Gao et al. 2021,
    "SimCSE", equations 1 and 5).
    """
    cosines = F.normalize(texts.float(), dim=1) @ F.normalize(candidates.float(), dim=1).T  # (N, M)
    return mean_cross_entropy(cosines / temperature, partners)
