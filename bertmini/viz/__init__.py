"""Pictures of curves and of attention, in one style; arrays and tokens in, pictures with alt text out."""

from bertmini.viz.confusion import confusion_map
from bertmini.viz.interactive.explorer import explore
from bertmini.viz.interactive.frame import Frame
from bertmini.viz.interactive.views import head_view, model_view, neuron_view
from bertmini.viz.maps import attention_lines, attention_map, head_grid, head_word
from bertmini.viz.plots import loss_curve
from bertmini.viz.scores import score_page, score_rows
from bertmini.viz.source import show_source
from bertmini.viz.style import MEANINGS, Picture, png, save, use_style

__all__ = [
    "MEANINGS",
    "Frame",
    "Picture",
    "attention_lines",
    "attention_map",
    "confusion_map",
    "explore",
    "head_grid",
    "head_view",
    "head_word",
    "loss_curve",
    "model_view",
    "neuron_view",
    "png",
    "save",
    "score_page",
    "score_rows",
    "show_source",
    "use_style",
]
