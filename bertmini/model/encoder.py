"""BERT's body: embeddings, a stack of encoder layers, and the pooler.

Each layer is attention, then a position-wise feed-forward network, each with a residual connection and a LayerNorm
*after* the sum, "post-norm" (Vaswani et al. 2017, section 3.1; Devlin et al. 2019, section 3). There is no decoder
and no causal mask: every token sees the whole sequence.

Shapes: B batch, S sequence, E hidden, H heads, D sequences in the batch (B unless rows are packed, see `packing`).
Left out on purpose: caching, chunked feed-forward. Taught in chapter 04.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.config import BertConfig
from bertmini.model.attention import ByteDropout, Meet, MultiHeadAttention, Rows
from bertmini.model.fast import take_seats
from bertmini.model.packing import first_tokens, visible
from bertmini.model.positions import position_ids
from bertmini.model.pretrained import Pretrained

ACTIVATION_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
}


class BertModelOutput(NamedTuple):
    """What the encoder returns: states (B, S, E), the pooled state (D, E), and what else was asked for.

    `hidden_states` holds the embeddings and each layer's output, so one more than there are layers; `attentions`
    holds each layer's weights (B, H, S, S).
    """

    last_hidden_state: Tensor
    pooler_output: Tensor | None
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


def check_shapes(input_ids: Tensor, **others: Tensor | None) -> None:
    """Refuse ids that are not (B, S) and tensors beside them of another shape: they might broadcast unnoticed."""
    if input_ids.dim() != 2 or not input_ids.numel():
        raise ValueError(f"input_ids have shape {tuple(input_ids.shape)}; expected (batch, sequence), none of them 0")
    for name, tensor in others.items():
        if tensor is not None and tensor.shape != input_ids.shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, input_ids {tuple(input_ids.shape)}: they differ")


class BertEmbeddings(nn.Module):
    """Token + position + segment embeddings, summed and normalised (Devlin et al. 2019, figure 2)."""

    def __init__(self, config: BertConfig) -> None:
        """Make one table for pieces, one for positions and one for segments."""
        super().__init__()
        self.word = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = ByteDropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor, positions: Tensor) -> Tensor:
        """Sum the three embeddings, normalise, drop out: ids of one shape (...), to (..., E)."""
        try:
            total = self.word(input_ids) + self.token_type(token_type_ids) + self.position(positions)
        except IndexError as error:
            raise ValueError(
                f"an id is outside its table: input_ids run from {int(input_ids.min())} to {int(input_ids.max())} "
                f"(vocab_size {self.word.num_embeddings}; is this the model's own tokenizer?), token_type_ids from "
                f"{int(token_type_ids.min())} to {int(token_type_ids.max())} (type_vocab_size "
                f"{self.token_type.num_embeddings}), positions up to {int(positions.max())} "
                f"(max_position_embeddings {self.position.num_embeddings}; cut the text)"
            ) from error
        dropped: Tensor = self.dropout(self.layer_norm(total))
        return dropped


class EncoderLayer(nn.Module):
    """Attention and feed-forward, each added to its input and normalised (Vaswani et al. 2017, section 3.1)."""

    def __init__(self, config: BertConfig) -> None:
        """Make the two sub-layers with their norms."""
        super().__init__()
        self.attention = MultiHeadAttention(config)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.intermediate = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = ACTIVATION_FUNCTIONS[config.hidden_act]
        self.output = nn.Linear(config.intermediate_size, config.hidden_size)
        self.output_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = ByteDropout(config.hidden_dropout_prob)

    def forward(self, hidden: Tensor, meet: Meet, *, asking: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Compute one layer for the tokens that ask, each of which reads `hidden` (..., E).

        All ask unless `asking` (..., E) names fewer, or others. Returns their new states, in the shape of `asking`,
        and the attention weights if `meet` gives them.
        """
        asking = hidden if asking is None else asking
        attended, weights = self.attention(asking, hidden, meet)
        asking = self.attention_norm(asking + self.dropout(attended))
        transformed = self.output(self.activation(self.intermediate(asking)))
        return self.output_norm(asking + self.dropout(transformed)), weights


class Pooler(nn.Module):
    """tanh(W h + b) of a sequence's first token, [CLS]: what next-sentence prediction and classification read."""

    def __init__(self, config: BertConfig) -> None:
        """Make the one linear map."""
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, first: Tensor) -> Tensor:
        """Pool the states of the first tokens: (D, E) to (D, E)."""
        return torch.tanh(self.dense(first))


class BertModel(Pretrained):
    """The encoder without a head (Devlin et al. 2019, section 3)."""

    def __init__(self, config: BertConfig, *, add_pooling_layer: bool = True) -> None:
        """Build with random weights, drawn from PyTorch's global generator."""
        super().__init__(config)
        self.embeddings = BertEmbeddings(config)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_hidden_layers))
        self.pooler = Pooler(config) if add_pooling_layer else None
        self.loose = True
        """Whether tokens are loose where only some states are read, see `fast`; False lays them out in rows always."""
        self.initialize()

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        places: Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BertModelOutput:
        """Encode every token, or only what the states at some places depend on.

        Shapes: ids, segments and mask (B, S) integers; without `token_type_ids` all tokens are of segment 0, without
        `attention_mask` none is padding. `attention_mask` may number the sequences of packed rows, see `packing`.
        With `places` (N,), positions in the flattened batch, `last_hidden_state` is (N, E): the same numbers, sooner.
        Raises `ValueError` for shapes that do not fit, ids outside the tables, and sequences longer than the model has
        positions for.
        """
        check_shapes(input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask)
        token_type_ids = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask.long()
        firsts = first_tokens(mask) if self.pooler is not None else mask.new_empty(0)
        ids = (input_ids, token_type_ids, position_ids(mask))
        # A graph that is exported or compiled has one way through, whatever the data.
        loose = self.loose and not (output_attentions or output_hidden_states or torch.compiler.is_compiling())
        if places is not None and loose:
            read = self.read(ids, mask, torch.cat([firsts, places]))
            return BertModelOutput(read[len(firsts) :], self.pool(read[: len(firsts)]), None, None)
        meet = Rows(None if attention_mask is None else visible(mask, mask), output_attentions=output_attentions)
        hidden = self.embeddings(*ids)
        states: list[Tensor] = [hidden]
        attentions: list[Tensor] = []
        for layer in self.layers:
            hidden, weights = layer(hidden, meet)
            states.append(hidden)
            attentions.append(weights)
        flat = hidden.flatten(0, 1)  # (B * S, E)
        return BertModelOutput(
            hidden if places is None else flat[places],
            self.pool(flat[firsts]),
            tuple(states) if output_hidden_states else None,
            tuple(attentions) if output_attentions else None,
        )

    def read(self, ids: tuple[Tensor, Tensor, Tensor], mask: Tensor, places: Tensor) -> Tensor:
        """Compute the last states at `places` (N,) alone, from loose tokens: ids and mask (B, S), to (N, E)."""
        seating = take_seats(mask, places)
        hidden = self.embeddings(*(seating.tokens.unseat(part) for part in ids))  # (T, E)
        *body, last = self.layers
        for layer in body:
            hidden, _ = layer(hidden, seating.together)
        asking = hidden.index_select(0, seating.readers)
        states: Tensor = last(hidden, seating.reading, asking=asking)[0]
        return states[: len(places)]

    def pool(self, first: Tensor) -> Tensor | None:
        """Pool the states of the sequences' first tokens, (D, E) to (D, E); None without a pooler."""
        return None if self.pooler is None else self.pooler(first)
