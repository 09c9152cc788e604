"""Pretraining: which pieces were hidden, and does the second segment follow the first?

The masked-language-model head transforms a token's state and compares it with the word embeddings themselves (the
decoder is *tied*); next-sentence prediction reads the pooled [CLS] (Devlin et al. 2019, section 3.1).

Labels of -100 are not scored. A loss is the mean over what is scored, 0 where nothing is. A row of logits is as wide as
the vocabulary, by far the largest thing that a step computes. So with `labels` it is computed *only where scored*, and
the places come back in the output; without, everywhere, or at the `places` that are asked for.

Shapes: B batch, S sequence, E hidden, V vocabulary, N places, D sequences (B unless rows are packed).
Taught in chapters 05 and 06.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.config import BertConfig
from bertmini.model.encoder import ACTIVATION_FUNCTIONS, BertModel, check_shapes
from bertmini.model.losses import mean_cross_entropy, scored_places
from bertmini.model.pretrained import Pretrained


class PreTrainingOutput(NamedTuple):
    """Joint loss and its two parts, MLM logits (N, V) or (B, S, V), NSP logits (D, 2), and what else was asked for.

    `places` (N,) says where in the flattened batch the rows of `prediction_logits` stand; None: everywhere, in order.
    """

    loss: Tensor | None
    prediction_logits: Tensor
    seq_relationship_logits: Tensor
    masked_lm_loss: Tensor | None = None
    next_sentence_loss: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    places: Tensor | None = None

    @property
    def losses(self) -> dict[str, Tensor]:
        """The parts of `loss`, each by the name of the labels that it is a mean over: see `accumulate_gradients`."""
        parts = {"labels": self.masked_lm_loss, "next_sentence_label": self.next_sentence_loss}
        return {name: part for name, part in parts.items() if part is not None}


class MaskedLMOutput(NamedTuple):
    """Loss, logits (N, V) or (B, S, V), and what else was asked for; `places` as in `PreTrainingOutput`."""

    loss: Tensor | None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    places: Tensor | None = None


def choose_places(input_ids: Tensor, labels: Tensor | None, places: Tensor | None) -> Tensor | None:
    """Say where pieces are predicted: where `labels` (B, S) are scored, else at `places`, else everywhere (None)."""
    check_shapes(input_ids, labels=labels)
    if labels is None:
        return places
    if places is not None:
        raise ValueError("places beside labels: with labels, pieces are predicted where they are scored; drop one")
    return scored_places(labels)


class MaskedLMHead(nn.Module):
    """Which piece stands here? A transform, then a product with the word embeddings (Devlin et al. 2019, 3.1)."""

    def __init__(self, config: BertConfig) -> None:
        """Make the transform and one bias per piece; the decoder's weight is the embedding table and is passed in."""
        super().__init__()
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = ACTIVATION_FUNCTIONS[config.hidden_act]
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden: Tensor, word_embeddings: Tensor) -> Tensor:
        """Score every piece at every given state: (..., E) and (V, E) to logits (..., V)."""
        transformed = self.layer_norm(self.activation(self.transform(hidden)))
        return F.linear(transformed, word_embeddings, self.bias)


class BertForPreTraining(Pretrained):
    """Masked language model and next-sentence prediction together (Devlin et al. 2019, section 3.1)."""

    def __init__(self, config: BertConfig) -> None:
        """Build with random weights, drawn from PyTorch's global generator."""
        super().__init__(config)
        self.bert = BertModel(config)
        self.mlm = MaskedLMHead(config)
        self.nsp = nn.Linear(config.hidden_size, 2)
        self.initialize()

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        *,
        places: Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> PreTrainingOutput:
        """Predict hidden pieces - with `labels` only where scored - and whether the second segment follows the first.

        Shapes: `labels` (B, S), the original ids, -100 where not scored; `next_sentence_label` (D,), 0 = is next,
        1 = random; `places` (N,), without labels, positions in the flattened batch at which pieces are wanted. The loss
        is the sum of the means of both tasks, of those whose labels are given. Raises `ValueError` for labels of
        another shape or outside the vocabulary, and for `places` beside `labels`.
        """
        places = choose_places(input_ids, labels, places)
        encoded = self.bert(
            input_ids,
            token_type_ids,
            attention_mask,
            places=places,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.mlm(encoded.last_hidden_state, self.bert.embeddings.word.weight)
        relation = self.nsp(encoded.pooler_output)
        mlm_loss = None if labels is None else mean_cross_entropy(logits, labels.flatten()[places])
        nsp_loss = None if next_sentence_label is None else mean_cross_entropy(relation, next_sentence_label)
        loss = mlm_loss if nsp_loss is None else nsp_loss if mlm_loss is None else mlm_loss + nsp_loss
        return PreTrainingOutput(
            loss, logits, relation, mlm_loss, nsp_loss, encoded.hidden_states, encoded.attentions, places
        )


class BertForMaskedLM(Pretrained):
    """The encoder with the masked-language-model head alone, and no pooler."""

    def __init__(self, config: BertConfig) -> None:
        """Build with random weights, drawn from PyTorch's global generator."""
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.mlm = MaskedLMHead(config)
        self.initialize()

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        places: Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> MaskedLMOutput:
        """Predict hidden pieces, with `labels` only where they are scored.

        Shapes and errors as in `BertForPreTraining.forward`.
        """
        places = choose_places(input_ids, labels, places)
        encoded = self.bert(
            input_ids,
            token_type_ids,
            attention_mask,
            places=places,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.mlm(encoded.last_hidden_state, self.bert.embeddings.word.weight)
        loss = None if labels is None else mean_cross_entropy(logits, labels.flatten()[places])
        return MaskedLMOutput(loss, logits, encoded.hidden_states, encoded.attentions, places)
