"""A language whose probabilities are known, so that the best possible BERT is known exactly.

`World.default()` samples documents, sentence pairs and labels; `Floor` computes what the best model could know of them.
Taught in chapter 00.
"""

from bertmini.microworld.channel import Corruption
from bertmini.microworld.estimates import Estimate, LabelFloor, TokenFloor, WordFloor, clustered_mean, kl_from_optimum
from bertmini.microworld.posterior import Floor
from bertmini.microworld.sampling import WorldDocument, WorldPair
from bertmini.microworld.world import World, split_generator

__all__ = [
    "Corruption",
    "Estimate",
    "Floor",
    "LabelFloor",
    "TokenFloor",
    "WordFloor",
    "World",
    "WorldDocument",
    "WorldPair",
    "clustered_mean",
    "kl_from_optimum",
    "split_generator",
]
