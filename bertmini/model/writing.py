"""Models that write: an encoder that may look back only, and a decoder that reads an encoder.

A **causal** model is the same BERT under another mask: a token attends to itself and to what stands before it, and the
state of a token scores the *next* piece (Radford et al. 2018). The decoder layer is the original one (Vaswani et al.
2017, section 3.1): causal attention to what is written already, then attention to the encoder's states, then
feed-forward. The second and third of these are an `EncoderLayer` in which others ask than answer.

Rows must not be packed. Shapes: B batch, S source, T target, E hidden, V vocabulary.
Left out on purpose: keeping the keys and values of earlier steps, beams. Taught in chapter 12.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from bertmini.config import IGNORED, BertConfig
from bertmini.model.attention import MultiHeadAttention, Rows
from bertmini.model.encoder import BertEmbeddings, BertModel, EncoderLayer, check_shapes
from bertmini.model.losses import mean_cross_entropy
from bertmini.model.packing import visible
from bertmini.model.positions import position_ids
from bertmini.model.pretrained import Pretrained
from bertmini.model.pretraining import MaskedLMHead


class WritingOutput(NamedTuple):
    """Loss, and the logits (B, T, V) of the piece that comes *after* each piece."""

    loss: Tensor | None
    logits: Tensor


def looking_back(mask: Tensor) -> Rows:
    """Let each token of a batch, `mask` (B, T), attend to itself and to what stands before it."""
    width = mask.shape[1]
    return Rows(visible(mask, mask) & torch.ones(width, width, dtype=torch.bool, device=mask.device).tril())


def next_piece_loss(logits: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
    """Average -log p of every piece but the first, each scored one place earlier: (B, T, V), (B, T), (B, T) to ()."""
    targets = ids.masked_fill(mask == 0, IGNORED)[:, 1:]
    return mean_cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten())


class BertForCausalLM(Pretrained):
    """BERT with a causal mask: it scores the next piece, so the loss needs no labels but the text itself."""

    def __init__(self, config: BertConfig) -> None:
        """Build with random weights, drawn from PyTorch's global generator."""
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.mlm = MaskedLMHead(config)
        self.initialize()

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> WritingOutput:
        """Score the piece after each piece of texts (B, T); the loss is the mean over all pieces but the first."""
        check_shapes(input_ids, attention_mask=attention_mask)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask.long()
        hidden, meet = self.bert.embeddings(input_ids, torch.zeros_like(mask), position_ids(mask)), looking_back(mask)
        for layer in self.bert.layers:
            hidden, _ = layer(hidden, meet)
        logits = self.mlm(hidden, self.bert.embeddings.word.weight)
        return WritingOutput(next_piece_loss(logits, input_ids, mask), logits)


class DecoderLayer(nn.Module):
    """Causal attention, attention to a source, feed-forward (Vaswani et al. 2017, section 3.1)."""

    def __init__(self, config: BertConfig) -> None:
        """Make the three sub-layers with their norms."""
        super().__init__()
        self.own = MultiHeadAttention(config)
        self.own_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.source = EncoderLayer(config)

    def forward(self, hidden: Tensor, meet: Rows, source: Tensor, meet_source: Rows) -> Tensor:
        """Compute one layer for what is written, (B, T, E), which reads itself and the source (B, S, E)."""
        hidden = self.own_norm(hidden + self.own(hidden, hidden, meet).output)
        states: Tensor = self.source(source, meet_source, asking=hidden)[0]
        return states


class EncoderDecoder(Pretrained):
    """Read with a BERT, write with a decoder (Vaswani et al. 2017)."""

    def __init__(self, config: BertConfig, target_vocab_size: int) -> None:
        """Build with random weights; `bert` is the encoder, whose weights may be replaced by pretrained ones."""
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.embeddings = BertEmbeddings(config)
        self.embeddings.word = nn.Embedding(target_vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.num_hidden_layers))
        self.mlm = MaskedLMHead(config)
        self.mlm.bias = nn.Parameter(torch.zeros(target_vocab_size))
        self.initialize()

    def forward(
        self, input_ids: Tensor, target_ids: Tensor, attention_mask: Tensor, target_mask: Tensor
    ) -> WritingOutput:
        """Score the piece after each piece of the target (B, T), given all of the source (B, S)."""
        check_shapes(input_ids, attention_mask=attention_mask)
        check_shapes(target_ids, target_mask=target_mask)
        source = self.bert(input_ids, None, attention_mask).last_hidden_state
        hidden = self.embeddings(target_ids, torch.zeros_like(target_mask), position_ids(target_mask))
        meet, meet_source = looking_back(target_mask), Rows(visible(target_mask, attention_mask))
        for layer in self.layers:
            hidden = layer(hidden, meet, source, meet_source)
        logits = self.mlm(hidden, self.embeddings.word.weight)
        return WritingOutput(next_piece_loss(logits, target_ids, target_mask), logits)
