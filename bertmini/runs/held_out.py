"""How good is a model on text that it has not seen, and compared with what?

The figures to compare with need no model: the loss of always predicting each piece with its frequency (*unigram*),
and the accuracy of always guessing the commonest piece. Taught in chapter 07.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from bertmini.config import IGNORED
from bertmini.data.batches import Batch


class Baselines(NamedTuple):
    """What can be had without a model: losses in nats per scored token, accuracies as shares."""

    unigram_loss: float
    commonest_accuracy: float


class Evaluation:
    """Held-out batches, and what a pretrained model makes of them.

    `floor` has the same names as the figures: the best possible, where it is known; here it is not.
    """

    floor: Mapping[str, float] = MappingProxyType({})

    def __init__(self, batches: Sequence[Batch], counts: Tensor) -> None:
        """Keep batches; `counts` (V,) is how often each piece stands in the training text.

        Raises `ValueError` if nothing in the batches is scored.
        """
        self.batches = batches
        labels = torch.cat([batch["labels"][batch["labels"] != IGNORED] for batch in batches] or [torch.empty(0)])
        if not len(labels):
            raise ValueError("the held-out text is too short to score a single token; give more text")
        smoothed = counts.double() + 1  # add-one: a piece that training never saw is improbable, not impossible
        probability = smoothed / smoothed.sum()
        self.baselines = Baselines(
            float(-probability[labels].log().mean()), float((labels == counts.argmax()).double().mean())
        )
        self.scored = len(labels)

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Measure a pretraining model: held-out MLM loss, masked accuracy and, of pairs, next-sentence accuracy."""
        loss = hits = next_hits = pairs = 0.0
        device = next(model.parameters()).device
        for batch in self.batches:
            batch = {name: tensor.to(device) for name, tensor in batch.items()}
            output = model(**batch)
            targets = batch["labels"][batch["labels"] != IGNORED]
            paired = "next_sentence_label" in batch
            loss += float(output.masked_lm_loss if paired else output.loss) * len(targets)
            logits = output.prediction_logits if paired else output.logits
            hits += int((logits.argmax(-1) == targets).sum())
            if paired:
                next_hits += int((output.seq_relationship_logits.argmax(-1) == batch["next_sentence_label"]).sum())
                pairs += len(batch["next_sentence_label"])
        figures = {"held_out_mlm_loss": loss / self.scored, "masked_accuracy": hits / self.scored}
        return figures | ({"next_sentence_accuracy": next_hits / pairs} if pairs else {})


def count_pieces(texts: Iterable[list[int]], vocab_size: int) -> Tensor:
    """Count each piece in tokenized texts: to (V,)."""
    counts = torch.zeros(vocab_size, dtype=torch.long)
    for ids in texts:
        counts += torch.bincount(torch.tensor(ids, dtype=torch.long), minlength=vocab_size)
    return counts


@torch.inference_mode()
def predict(model: nn.Module, batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
    """Classify all examples of some batches: logits (N, C) and their class numbers (N,), on the CPU."""
    device = next(model.parameters()).device
    logits = [
        model(**{name: tensor.to(device) for name, tensor in batch.items() if name != "labels"}).logits
        for batch in batches
    ]
    return torch.cat(logits).float().cpu(), torch.cat([batch["labels"] for batch in batches])
