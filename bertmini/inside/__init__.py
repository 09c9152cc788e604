"""A model becomes arrays: what its heads attend to, what a prediction is without them, and what may be said of both."""

from bertmini.inside.ablation import Ablation, Guesses, ablate_heads, without_heads
from bertmini.inside.attend import Attended, attend
from bertmini.inside.explained import Explained, explain_guess
from bertmini.inside.gradients import Integrated, gradient_x_input, integrated_gradients
from bertmini.inside.neurons import Neurons, listen
from bertmini.inside.norms import Norms, attention_norms
from bertmini.inside.patching import (
    mixed_by_heads,
    patch_states,
    replace_embeddings,
    replace_neurons,
    replaced_heads,
    resample_tokens,
)
from bertmini.inside.patterns import Pattern, even_shares, head_patterns, mean_patterns, pattern_shares
from bertmini.inside.probes import (
    Probe,
    control_labels,
    description_length,
    linear_probe,
    squared_distances,
    structural_probe,
    without_directions,
)
from bertmini.inside.reading import Reading, read_text
from bertmini.inside.rollout import flow, rollout
from bertmini.inside.score import Score, changed, heard, log_probability, scores
from bertmini.inside.search import Firing, Found, search_heads
from bertmini.inside.told import told_attention
from bertmini.inside.weights import check_attention, check_head

__all__ = [
    "Ablation",
    "Attended",
    "Explained",
    "Firing",
    "Found",
    "Guesses",
    "Integrated",
    "Neurons",
    "Norms",
    "Pattern",
    "Probe",
    "Reading",
    "Score",
    "ablate_heads",
    "attend",
    "attention_norms",
    "changed",
    "check_attention",
    "check_head",
    "control_labels",
    "description_length",
    "even_shares",
    "explain_guess",
    "flow",
    "gradient_x_input",
    "head_patterns",
    "heard",
    "integrated_gradients",
    "linear_probe",
    "listen",
    "log_probability",
    "mean_patterns",
    "mixed_by_heads",
    "patch_states",
    "pattern_shares",
    "read_text",
    "replace_embeddings",
    "replace_neurons",
    "replaced_heads",
    "resample_tokens",
    "rollout",
    "scores",
    "search_heads",
    "squared_distances",
    "structural_probe",
    "told_attention",
    "without_directions",
    "without_heads",
]
