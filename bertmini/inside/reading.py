"""All that one model does with one text, in one tuple: what a view of attention shows.

Shapes: S tokens. Taught in chapter 13.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bertmini.inside.ablation import Ablation, ablate_heads
from bertmini.inside.attend import attend
from bertmini.inside.search import Found


class Reading(NamedTuple):
    """Attention (layers, heads, S, S) between tokens; guesses without each head; where the heads fire elsewhere."""

    attentions: Any
    """What `check_attention` takes."""
    tokens: Sequence[str]
    second: int | None = None
    """Where the second of two sentences begins."""
    ablation: Sequence[Ablation] = ()
    """What is guessed at each [MASK], by the whole model and without each head, from `ablate_heads`."""
    found: Found | None = None
    """Where the same model's heads give most in a corpus, from `search_heads`."""


def read_text(model: Any, tokenizer: Any, text: str, pair: str | None = None, *, found: Found | None = None) -> Reading:
    """Read a sentence or a pair: attention, and at each [MASK] the guess with all heads and without each.

    `found`, from `search_heads` with the same model, is handed on. The explorer takes it whole, so one cell shows any
    sentence: `explore(read_text(model, tokenizer, "the cat [MASK] on the mat"))`. Raises `ValueError` as `attend` and
    `ablate_heads` do.
    """
    seen = attend(model, tokenizer, text, pair)
    masked = tokenizer.mask_token in seen.tokens
    ablation = ablate_heads(model, tokenizer, seen.tokens, seen.second) if masked else ()
    return Reading(*seen, ablation, found)
