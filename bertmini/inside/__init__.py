"""A model becomes arrays: what its heads attend to, which pattern that is, what a prediction is without them."""

from bertmini.inside.ablation import Ablation, Guesses, ablate_heads, without_heads
from bertmini.inside.attend import Attended, attend
from bertmini.inside.neurons import Neurons, listen
from bertmini.inside.patterns import Pattern, even_shares, head_patterns, pattern_shares
from bertmini.inside.rollout import rollout
from bertmini.inside.weights import check_attention, check_head

__all__ = [
    "Ablation",
    "Attended",
    "Guesses",
    "Neurons",
    "Pattern",
    "ablate_heads",
    "attend",
    "check_attention",
    "check_head",
    "even_shares",
    "head_patterns",
    "listen",
    "pattern_shares",
    "rollout",
    "without_heads",
]
