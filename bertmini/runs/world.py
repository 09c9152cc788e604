"""The microworld as a corpus: pairs made up as they are needed, and an evaluation that knows the best possible result.

Taught in chapter 00.
"""

from itertools import islice, starmap

import torch
from torch import Tensor, nn

from bertmini.data.batches import Batch
from bertmini.data.corpora.sources import Position
from bertmini.data.masking import Masking
from bertmini.data.pairs import IS_NEXT, Pair
from bertmini.data.pretraining import PretrainingStream
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import Floor, World, clustered_mean
from bertmini.microworld.bulk import BulkSampler
from bertmini.runs.held_out import Evaluation, count_pieces
from bertmini.runs.materials import EVALUATION_SEED, Materials, make_stream
from bertmini.runs.settings import PretrainingSettings

PAIRS_AT_ONCE = 4_096
EVALUATION_BATCHES, EVALUATION_BATCH = 8, 256


class WorldPairs:
    """A source of pairs that never ends and never repeats: each chunk is drawn anew from the world."""

    def __init__(self, world: World) -> None:
        """Draw from `world`, with random sentences of other documents as negatives."""
        self.sampler = BulkSampler(world)

    def pairs(self, position: Position | None, generator: torch.Generator) -> tuple[list[Pair], Position | None]:  # noqa: ARG002
        """Draw one chunk's pairs; the place in the world is always its beginning."""
        return list(starmap(Pair, zip(*self.sampler.sample(PAIRS_AT_ONCE, generator), strict=True))), None


class WorldEvaluation(Evaluation):
    """An evaluation that also knows what the best possible model would get on these very batches, its `floor`."""

    def __init__(self, world: World, batches: list[Batch], counts: Tensor) -> None:
        """Compute the exact posterior of every hidden piece and of every pair."""
        super().__init__(batches, counts)
        floor = Floor.pairs(world)
        self.words = [floor.words(batch) for batch in batches]
        self.pairs = [floor.label(batch, "next") for batch in batches]
        self.floor = {
            "held_out_mlm_loss": mean([words.entropy for words in self.words]),
            "masked_accuracy": mean([words.accuracy for words in self.words]),
            "next_sentence_loss": mean([pairs.entropy for pairs in self.pairs]),
            "next_sentence_accuracy": mean([pairs.accuracy for pairs in self.pairs]),
        }

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Measure a pretraining model; adds `kl`, the mean distance from the optimum, and its standard error."""
        divergences, sequences, begin = [], [], 0
        device = next(model.parameters()).device
        for batch, words in zip(self.batches, self.words, strict=True):
            output = model(**{name: tensor.to(device) for name, tensor in batch.items()})
            divergences.append(words.kl(output.prediction_logits))
            sequences.append(words.sequence + begin)
            begin += len(batch["next_sentence_label"])
        kl = clustered_mean(torch.cat(divergences), torch.cat(sequences))
        return super().__call__(model) | {"kl": kl.mean, "kl_error": kl.standard_error}


def mean(parts: list[Tensor]) -> float:
    """Average over all batches."""
    return float(torch.cat(parts).mean())


def world_materials(settings: PretrainingSettings) -> Materials:
    """Make what a run in the microworld needs."""
    world = World.default()
    tokenizer = WordPieceTokenizer.from_vocab(world.vocabulary())
    stream = make_stream(WorldPairs(world), tokenizer, settings)
    evaluation = evaluate_world(world, tokenizer, settings.max_length)
    sample = world.sample_pairs(40, generator=torch.Generator().manual_seed(EVALUATION_SEED))
    examples = [(pair.first, pair.second) for pair in sample if pair.label == IS_NEXT]
    return Materials(tokenizer, stream, evaluation, examples)


def evaluate_world(world: World, tokenizer: WordPieceTokenizer, max_length: int) -> WorldEvaluation:
    """Make the evaluation: pairs of a seed that no run trains on."""
    source, masking = WorldPairs(world), Masking(tokenizer.pieces)
    stream = PretrainingStream(
        source,
        tokenizer,
        masking,
        batch_size=EVALUATION_BATCH,
        row_length=max_length,
        packed=False,
        seed=EVALUATION_SEED,
    )
    drawn, _ = source.pairs(None, torch.Generator().manual_seed(EVALUATION_SEED + 1))
    counts = count_pieces((pair.first + pair.second for pair in drawn), len(tokenizer))
    return WorldEvaluation(world, list(islice(stream, EVALUATION_BATCHES)), counts)
