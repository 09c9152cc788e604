"""What stands on top of the encoder: one small head per task, and its loss.

The masked-language-model head transforms a token's state and compares it with the word embeddings themselves (the
decoder is *tied*); next-sentence prediction reads the pooled [CLS] (Devlin et al. 2019, section 3.1). Fine-tuning
replaces the head by a new one and trains everything (section 3.2).

Labels of -100 are not scored. A loss is the mean over what is scored, 0 where nothing is. With `labels`, predictions
are computed and returned *only where they are scored*; without, everywhere.

Shapes: B batch, S sequence, V vocabulary, N scored places, D sequences (B unless rows are packed), C classes.
Left out on purpose: multiple choice. Taught in chapters 05, 06, 08, 09 and 10.
"""

from dataclasses import replace
from typing import NamedTuple, TypedDict, Unpack

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.config import BertConfig
from bertmini.model.encoder import ACTIVATION_FUNCTIONS, BertModel, check_shapes
from bertmini.model.hub import Pretrained

IGNORED = -100


class PreTrainingOutput(NamedTuple):
    """Joint loss and its two parts, MLM logits (N, V) or (B, S, V), NSP logits (D, 2), and what else was asked for."""

    loss: Tensor | None
    prediction_logits: Tensor
    seq_relationship_logits: Tensor
    masked_lm_loss: Tensor | None = None
    next_sentence_loss: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None

    @property
    def losses(self) -> dict[str, Tensor]:
        """The parts of `loss`, each by the name of the labels that it is a mean over: see `accumulate_gradients`."""
        parts = {"labels": self.masked_lm_loss, "next_sentence_label": self.next_sentence_loss}
        return {name: part for name, part in parts.items() if part is not None}


class HeadOutput(NamedTuple):
    """Loss, logits - last axis V for masked LM, C for classes - and what else was asked for."""

    loss: Tensor | None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class QuestionAnsweringOutput(NamedTuple):
    """Loss, and the logits (B, S) of each token to begin or to end the answer."""

    loss: Tensor | None
    start_logits: Tensor
    end_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


def mean_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Average -log p(target), in nats, over the targets that are not -100; 0 if none is: (N, C), (N,) to ()."""
    try:
        total = F.cross_entropy(logits.float(), targets, reduction="sum", ignore_index=IGNORED)
    except IndexError as error:
        raise ValueError(
            f"labels run from {int(targets.min())} to {int(targets.max())}, but there are {logits.shape[-1]} classes: "
            "expected 0 to one less than that, or -100 where nothing is scored"
        ) from error
    return total / (targets != IGNORED).sum().clamp(min=1)


class Asked(TypedDict, total=False):
    """What a caller may ask of the encoder besides the predictions, see `BertModel.forward`."""

    places: Tensor
    output_attentions: bool
    output_hidden_states: bool


def scored_places(labels: Tensor) -> Tensor:
    """Find the places in the flattened batch that count: (B, S) to (N,)."""
    return (labels.flatten() != IGNORED).nonzero().squeeze(1)


def at_scored(labels: Tensor | None, input_ids: Tensor, asked: Asked) -> Asked:
    """Ask for the scored places where there are labels."""
    check_shapes(input_ids, labels=labels)
    return asked if labels is None else asked | {"places": scored_places(labels)}


def token_loss(logits: Tensor, labels: Tensor | None) -> Tensor | None:
    """Compare logits at the scored places (N, C) with the labels (B, S) there."""
    return None if labels is None else mean_cross_entropy(logits, labels.flatten()[scored_places(labels)])


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
        **asked: Unpack[Asked],
    ) -> PreTrainingOutput:
        """Predict hidden pieces and whether the second segment follows the first.

        Shapes: `labels` (B, S), the original ids, -100 where not scored; `next_sentence_label` (D,), 0 = is next,
        1 = random. The loss is the sum of the means of both tasks, of those whose labels are given.
        """
        encoded = self.bert(input_ids, token_type_ids, attention_mask, **at_scored(labels, input_ids, asked))
        logits = self.mlm(encoded.last_hidden_state, self.bert.embeddings.word.weight)
        relation = self.nsp(encoded.pooler_output)
        mlm_loss = token_loss(logits, labels)
        nsp_loss = None if next_sentence_label is None else mean_cross_entropy(relation, next_sentence_label)
        loss = mlm_loss if nsp_loss is None else nsp_loss if mlm_loss is None else mlm_loss + nsp_loss
        return PreTrainingOutput(loss, logits, relation, mlm_loss, nsp_loss, encoded.hidden_states, encoded.attentions)


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
        **asked: Unpack[Asked],
    ) -> HeadOutput:
        """Predict hidden pieces; `labels` (B, S) holds the original ids, -100 where not scored."""
        encoded = self.bert(input_ids, token_type_ids, attention_mask, **at_scored(labels, input_ids, asked))
        logits = self.mlm(encoded.last_hidden_state, self.bert.embeddings.word.weight)
        return HeadOutput(token_loss(logits, labels), logits, encoded.hidden_states, encoded.attentions)


class BertForSequenceClassification(Pretrained):
    """One class for a sentence or a pair, from the pooled [CLS] (Devlin et al. 2019, section 4.1)."""

    def __init__(self, config: BertConfig) -> None:
        """Build with random weights, drawn from PyTorch's global generator; `config.labels` names the classes."""
        super().__init__(config)
        self.bert = BertModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.initialize()

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> HeadOutput:
        """Score the classes: logits (D, C); `labels` (D,) holds class numbers."""
        encoded = self.bert(
            input_ids,
            token_type_ids,
            attention_mask,
            places=input_ids.new_empty(0),
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.classifier(self.dropout(encoded.pooler_output))
        loss = None if labels is None else mean_cross_entropy(logits, labels)
        return HeadOutput(loss, logits, encoded.hidden_states, encoded.attentions)


class BertForTokenClassification(Pretrained):
    """One class for each token, as in named-entity recognition (Devlin et al. 2019, section 5.3)."""

    def __init__(self, config: BertConfig) -> None:
        """Build with random weights, drawn from PyTorch's global generator; `config.labels` names the classes."""
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.initialize()

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **asked: Unpack[Asked],
    ) -> HeadOutput:
        """Score each token's classes; `labels` (B, S) holds class numbers, -100 where not scored."""
        encoded = self.bert(input_ids, token_type_ids, attention_mask, **at_scored(labels, input_ids, asked))
        logits = self.classifier(self.dropout(encoded.last_hidden_state))
        return HeadOutput(token_loss(logits, labels), logits, encoded.hidden_states, encoded.attentions)


class BertForQuestionAnswering(Pretrained):
    """Where the answer begins and where it ends: two scores for each token (Devlin et al. 2019, section 4.2)."""

    def __init__(self, config: BertConfig) -> None:
        """Build with random weights, drawn from PyTorch's global generator; the two outputs name themselves."""
        super().__init__(replace(config, labels=("start", "end")))
        self.bert = BertModel(config, add_pooling_layer=False)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.initialize()

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        *,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> QuestionAnsweringOutput:
        """Score every token as first and as last of the answer; positions (B,) point at [CLS], 0, where there is none.

        The loss is the mean of both cross-entropies, over all S positions. Rows must not be packed.
        """
        encoded = self.bert(
            input_ids,
            token_type_ids,
            attention_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        start, end = self.qa_outputs(encoded.last_hidden_state).unbind(-1)  # (B, S) each
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = (mean_cross_entropy(start, start_positions) + mean_cross_entropy(end, end_positions)) / 2
        return QuestionAnsweringOutput(loss, start, end, encoded.hidden_states, encoded.attentions)
