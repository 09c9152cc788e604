"""Train any module whose output has `.loss`: one loop, AdamW and schedules, checkpoints that resume to the bit."""

from bertmini.training.accumulation import Stream, accumulate_gradients
from bertmini.training.best_epoch import BestEpoch
from bertmini.training.checkpoint import (
    Checkpoint,
    checkpoint_folders,
    read_checkpoint,
    restore_checkpoint,
    save_checkpoint,
)
from bertmini.training.device import has_bf16, pick_device
from bertmini.training.interrupts import interrupts_wait
from bertmini.training.log import History
from bertmini.training.loop import train
from bertmini.training.optim import SCHEDULES, make_optimizer, parameter_groups, set_learning_rate
from bertmini.training.recipe import Recipe

__all__ = [
    "SCHEDULES",
    "BestEpoch",
    "Checkpoint",
    "History",
    "Recipe",
    "Stream",
    "accumulate_gradients",
    "checkpoint_folders",
    "has_bf16",
    "interrupts_wait",
    "make_optimizer",
    "parameter_groups",
    "pick_device",
    "read_checkpoint",
    "restore_checkpoint",
    "save_checkpoint",
    "set_learning_rate",
    "train",
]
