"""The sizes of a BERT, and the published ones.

`BertConfig` names every number of the architecture as Hugging Face does. `PRESETS` holds the two sizes of the BERT
paper (Devlin et al. 2019, section 3: `base`, `large`), the four smaller ones of Turc et al. 2019 (`tiny`, `mini`,
`small`, `medium`) and `nano`, which the microworld needs. A preset's vocabulary is BERT's own; training on your text
replaces it:

>>> from dataclasses import replace
>>> replace(PRESETS["tiny"], vocab_size=8_192).hidden_size
128

Left out on purpose: relative positions, decoders, cross-attention. Taught in chapter 04.
"""

import math
from dataclasses import dataclass, fields
from typing import Any

IGNORED = -100
"""The label of a position that is not scored, as in PyTorch's cross-entropy and in Hugging Face's batches."""

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""The special tokens, in the order of their ids in a vocabulary that we train."""
PAD, UNK, CLS, SEP, MASK = SPECIAL_TOKENS

ACTIVATIONS = ("gelu", "gelu_new", "relu")

MOST = {  # beyond these nobody means it: a typing error, or a damaged file
    "vocab_size": 2**24,
    "hidden_size": 2**16,
    "num_hidden_layers": 2**10,
    "num_attention_heads": 2**10,
    "intermediate_size": 2**18,
    "max_position_embeddings": 2**20,
    "type_vocab_size": 2**16,
}


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Sizes and rates of one BERT; the defaults are BERT-base (Devlin et al. 2019, section 3 and appendix A.2).

    Raises `ValueError` for a value that cannot be built, naming it.
    """

    vocab_size: int = 30_522
    """Pieces that the model knows: rows of the word-embedding table and classes of the masked language model."""
    hidden_size: int = 768
    """Width E of a token's state, the same in every layer."""
    num_hidden_layers: int = 12
    """Encoder layers, one on top of the other."""
    num_attention_heads: int = 12
    """Heads H of each layer; each has hidden_size / H numbers of its own."""
    intermediate_size: int = 3_072
    """Width of the feed-forward network's hidden layer, in BERT four times hidden_size."""
    hidden_act: str = "gelu"
    """Activation of the feed-forward network and of the masked language model's transform: one of `ACTIVATIONS`."""
    hidden_dropout_prob: float = 0.1
    """Dropout rate of the embeddings, of what each sub-layer adds, and of what a classifier reads."""
    attention_probs_dropout_prob: float = 0.1
    """Dropout rate of the attention weights."""
    max_position_embeddings: int = 512
    """Rows of the position table: the most tokens that a sequence may have."""
    type_vocab_size: int = 2
    """Rows of the segment table: first and second text."""
    initializer_range: float = 0.02
    """Standard deviation of the random weights at the start."""
    layer_norm_eps: float = 1e-12
    """What LayerNorm adds to a variance before it takes the root."""
    pad_token_id: int = 0
    """The piece that fills rows up; the model reads the attention mask, not this."""
    labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")
    """Names of a fine-tuned head's classes, in the order of its outputs."""

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be built."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int and type(value) is not int:
                raise ValueError(f"{field.name} is {value!r}; it must be a whole number")
            if field.name in MOST and not 1 <= value <= MOST[field.name]:
                raise ValueError(f"{field.name} is {value}; it must be from 1 to {MOST[field.name]}")
            if field.type is float and not (isinstance(value, int | float) and 0 <= value < math.inf):
                raise ValueError(f"{field.name} is {value!r}; it must be a number, at least 0")
            if field.name.endswith("_prob") and value >= 1:
                raise ValueError(f"{field.name} is {value}; a dropout rate lies in [0, 1)")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of num_attention_heads {self.num_attention_heads}: "
                "every head takes an equal share"
            )
        if self.hidden_act not in ACTIVATIONS:
            raise ValueError(f"hidden_act {self.hidden_act!r} is unknown; choose one of {', '.join(ACTIVATIONS)}")
        if not 0 <= self.pad_token_id < self.vocab_size:
            raise ValueError(f"pad_token_id {self.pad_token_id} is outside the vocabulary of {self.vocab_size}")
        if not self.labels or {type(label) for label in self.labels} != {str}:
            raise ValueError(f"labels {self.labels!r} must be names, at least one")

    @property
    def num_labels(self) -> int:
        """Number of classes of a fine-tuned head."""
        return len(self.labels)


def _preset(layers: int, hidden: int, **other: Any) -> BertConfig:
    """Build the family's shape: heads 64 wide, feed-forward four times the hidden size."""
    shape = {"num_attention_heads": hidden // 64, "intermediate_size": 4 * hidden} | other
    # BERT-base starts from 0.02. A sum of fewer terms needs larger ones to come out as large: 0.02 * sqrt(768 / width).
    start = round(0.02 * math.sqrt(768 / hidden), 3)
    return BertConfig(num_hidden_layers=layers, hidden_size=hidden, initializer_range=start, **shape)


PRESETS: dict[str, BertConfig] = {
    "nano": _preset(2, 64, num_attention_heads=4, max_position_embeddings=64),
    "tiny": _preset(2, 128),
    "mini": _preset(4, 256),
    "small": _preset(4, 512),
    "medium": _preset(8, 512),
    "base": _preset(12, 768),
    "large": _preset(24, 1024),
}
