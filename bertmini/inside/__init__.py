"""A model becomes arrays: what its heads attend to, which pattern that is, what a prediction is without them."""

from bertmini.inside.ablation import Ablation, Guesses, ablate_heads, without_heads
from bertmini.inside.attend import Attended, attend
from bertmini.inside.neurons import Neurons, listen
from bertmini.inside.patterns import Pattern, even_shares, head_patterns, mean_patterns, pattern_shares
from bertmini.inside.reading import Reading, read_text
from bertmini.inside.rollout import rollout
from bertmini.inside.search import Firing, Found, search_heads
from bertmini.inside.weights import check_attention, check_head

__all__ = [
    "Ablation",
    "Attended",
    "Firing",
    "Found",
    "Guesses",
    "Neurons",
    "Pattern",
    "Reading",
    "ablate_heads",
    "attend",
    "check_attention",
    "check_head",
    "even_shares",
    "head_patterns",
    "listen",
    "mean_patterns",
    "pattern_shares",
    "read_text",
    "rollout",
    "search_heads",
    "without_heads",
]
