"""Fine-tuning: a new head for a task, from random numbers, and everything trained (Devlin et al. 2019, section 3.2).

Logits have the same shape with labels and without. Labels of -100 are not scored; a loss is the mean over what is
scored, 0 where nothing is.

Shapes: B batch, S sequence, D sequences (B unless rows are packed), C classes.
Left out on purpose: multiple choice. Taught in chapters 08, 09 and 10.
"""

from dataclasses import replace
from typing import NamedTuple

from torch import Tensor, nn

from bertmini.config import BertConfig
from bertmini.model.encoder import BertModel, check_shapes
from bertmini.model.losses import mean_cross_entropy
from bertmini.model.pretrained import Pretrained


class ClassificationOutput(NamedTuple):
    """Loss, logits - (D, C) for sequences, (B, S, C) for tokens - and what else was asked for."""

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
    ) -> ClassificationOutput:
        """Score the classes: logits (D, C); `labels` (D,) holds class numbers, -100 where not scored.

        Raises `ValueError` for labels of a single class: there is nothing to tell apart, and `transformers` would take
        one output for a regression.
        """
        if labels is not None and self.config.num_labels == 1:
            raise ValueError(
                "labels, but one class: expected two or more (one output means regression elsewhere; not trained here)"
            )
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
        return ClassificationOutput(loss, logits, encoded.hidden_states, encoded.attentions)


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
        *,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> ClassificationOutput:
        """Score each token's classes: logits (B, S, C); `labels` (B, S) holds class numbers, -100 where not scored."""
        check_shapes(input_ids, labels=labels)
        encoded = self.bert(
            input_ids,
            token_type_ids,
            attention_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.classifier(self.dropout(encoded.last_hidden_state))
        loss = None if labels is None else mean_cross_entropy(logits.flatten(0, 1), labels.flatten())
        return ClassificationOutput(loss, logits, encoded.hidden_states, encoded.attentions)


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
