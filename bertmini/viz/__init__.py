"""Pictures of curves and of attention, in one style; arrays and tokens in, pictures with alt text out."""

from bertmini.inside.ablation import ablate_heads
from bertmini.inside.attend import Attended, attend, check_attention
from bertmini.inside.patterns import Pattern, head_patterns
from bertmini.viz.confusion import confusion_map
from bertmini.viz.interactive.explorer import explore
from bertmini.viz.interactive.frame import Frame
from bertmini.viz.interactive.views import head_view, model_view, neuron_view
from bertmini.viz.maps import attention_lines, attention_map, head_grid, head_word
from bertmini.viz.plots import loss_curve
from bertmini.viz.source import show_source
from bertmini.viz.style import MEANINGS, Picture, png, save, use_style

__all__ = [
    "MEANINGS",
    "Attended",
    "Frame",
    "Pattern",
    "Picture",
    "ablate_heads",
    "attend",
    "attention_lines",
    "attention_map",
    "check_attention",
    "confusion_map",
    "explore",
    "head_grid",
    "head_patterns",
    "head_view",
    "head_word",
    "loss_curve",
    "model_view",
    "neuron_view",
    "png",
    "save",
    "show_source",
    "use_style",
]
