"""A language whose probabilities are known, so that the best possible BERT is known exactly.

`World.default()` samples documents, sentence pairs and labels; `Floor` computes what the best model could know about
them.
Taught in chapter 00.
"""

from bertmini.microworld.sampling import Document, Pair
from bertmini.microworld.world import World, split_generator

__all__ = ["Document", "Pair", "World", "split_generator"]
