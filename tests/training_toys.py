"""A model and a stream small enough to train in milliseconds, for the tests of `bertmini.training`."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from bertmini.training.log import History
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

VOCABULARY = 11


class Output(NamedTuple):
    loss: Tensor


class Toy(nn.Module):
    """Predicts a label per token; has what a BERT has: a tied decoder, LayerNorm, dropout, a buffer."""

    def __init__(self, size: int = 6, dropout: float = 0.1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, size)
        self.norm = nn.LayerNorm(size)
        self.dropout = nn.Dropout(dropout)
        self.decoder = nn.Linear(size, VOCABULARY)
        self.decoder.weight = self.embedding.weight
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, input_ids: Tensor, labels: Tensor, attention_mask: Tensor | None = None) -> Output:
        if self.training:
            self.seen += 1
        logits = self.decoder(self.dropout(self.norm(self.embedding(input_ids))))
        return Output(F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100))


class ToyStream:
    """Endless batches of 3 x 7: the label of id i is 2 i modulo 11, two positions are padding."""

    def __init__(self, seed: int = 0) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def __next__(self) -> dict[str, Tensor]:
        ids = torch.randint(VOCABULARY, (3, 7), generator=self.generator)
        mask = torch.ones_like(ids)
        mask[1, 5:] = 0
        return {"input_ids": ids, "labels": ids * 2 % VOCABULARY, "attention_mask": mask}

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self.generator.get_state().tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.generator.set_state(torch.tensor(state["generator"], dtype=torch.uint8))


class Fixed:
    """The same batches over and over."""

    def __init__(self, *batches: dict[str, Tensor]) -> None:
        self.batches, self.at = batches, 0

    def __next__(self) -> dict[str, Tensor]:
        self.at += 1
        return self.batches[(self.at - 1) % len(self.batches)]

    def state_dict(self) -> dict[str, Any]:
        return {"at": self.at}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.at = state["at"]


def toy_run(folder: Path, *, steps: int = 6, size: int = 6) -> History:
    """The run that the tests kill and resume: dropout, and a checkpoint after every step."""
    torch.set_num_threads(1)
    tqdm.set_lock(threading.RLock())  # tqdm's own is a semaphore, which a killed process would leave behind
    torch.manual_seed(5)
    recipe = Recipe(steps=steps, learning_rate=0.05, checkpoint_every=1)
    where = {"log": folder / "log", "checkpoints": folder / "checkpoints"}
    return train(Toy(size), ToyStream(), recipe, device="cpu", resume=True, progress=False, **where)
