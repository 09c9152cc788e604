"""The floor: the exact best prediction that anybody could make from what the model sees.

The idea: the world's probabilities are known and BERT's corruption is a channel with known probabilities, so Bayes'
rule gives the best possible answer to every question that training asks: the blanked-out word, next or not, the tag,
the topic, the answer. For a scored position i, with x̃ the corrupted input and S the selected positions,

    cavity  c_i(v) = Σ_{x: x_i = v} p(x) Π_{j≠i} K(x̃_j | x_j)         everything but the piece at i itself
    floor   p*(v)  ∝ c_i(v) · K₁(x̃_i | v)                             H(p*) is the least possible loss there

where K is the channel of a position whose selection nobody knows and K₁ that of one known to be selected
(`Corruption`). A model's distance is KL(p* ‖ q), an average of numbers that cannot be negative: differences of
cross-entropies have a standard error larger than the distance that is left at the end of training.
Source: Devlin et al. 2019, section 3.1 and appendix A.1 for the channel; Zhao et al. 2023, "Do Transformers Parse while
Predicting the Masked Word?", for MLM and inside-outside.
Left out on purpose: approximations. What cannot be computed exactly is not offered.
Taught in chapter 05.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from bertmini.microworld.channel import BERT_CORRUPTION, CLEAN, Corruption, Text, take_apart
from bertmini.microworld.compile import Sentence
from bertmini.microworld.discourse import Negatives
from bertmini.microworld.estimates import LabelFloor, TokenFloor, WordFloor
from bertmini.microworld.machine import Machine, Position, Reading
from bertmini.microworld.world import World

Batch = Mapping[str, Tensor]


class Floor:
    """The best possible predictions for batches of one source: `Floor.pairs(world)` or `Floor.task(world, kind)`.

    A batch is what `bertmini.data` makes: `input_ids`, `token_type_ids`, `attention_mask` and, for words, `labels`, all
    (B, S). Everything is computed in float64 on the CPU.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        machines: Sequence[Machine],
        joint: Tensor,
        labels: Mapping[str, dict[str, Tensor]],
        corruption: Corruption,
    ) -> None:
        """`joint` (R of the first text, R of the second): how probable two roots are; `labels`: its parts by value."""
        self.machines = list(machines)
        self.vocabulary = list(vocabulary)
        self.joint = joint
        self.labels = labels
        self.corruption = corruption
        self._tables = [corruption.table(machine.emissions) for machine in self.machines]

    @classmethod
    def pairs(
        cls, world: World, *, negatives: Negatives = "random", corruption: Corruption = BERT_CORRUPTION
    ) -> "Floor":
        """For pretraining batches from `world.sample_pairs(..., negatives=negatives)`; has the label `next` (0, 1)."""
        sentences, _, joint = world.pair_distribution(negatives)
        machine = Machine(world.graph, [world.graph.text([sentence]) for sentence in sentences], world.vocabulary())
        return cls(
            world.vocabulary(), [machine, machine], joint.sum(0), {"next": {"0": joint[0], "1": joint[1]}}, corruption
        )

    @classmethod
    def task(cls, world: World, kind: str, *, corruption: Corruption = CLEAN, held_out: bool = False) -> "Floor":
        """For batches of whole documents, `world.sample(..., kind=kind)`; labelled by their features, values sorted."""
        derivations = world.derivations(kind, held_out=held_out)
        roots: list[dict[tuple[Sentence, ...], int]] = [{} for _ in derivations[0].texts]
        cells = [
            tuple(numbers.setdefault(text, len(numbers)) for numbers, text in zip(roots, derivation.texts, strict=True))
            for derivation in derivations
        ]
        shape = (len(roots[0]), len(roots[1]) if len(roots) == 2 else 1)
        joint = torch.zeros(shape, dtype=torch.float64)
        names = [name for name in derivations[0].values if all(name in d.values for d in derivations)]
        labels: dict[str, dict[str, Tensor]] = {name: {} for name in names}
        for cell, derivation in zip(cells, derivations, strict=True):
            cell = (*cell, 0)[:2]
            joint[cell] += derivation.probability
            for name, parts in labels.items():
                part = parts.setdefault(derivation.values[name], torch.zeros(shape, dtype=torch.float64))
                part[cell] += derivation.probability
        labels = {name: dict(sorted(parts.items())) for name, parts in labels.items()}
        entries = [[world.graph.text(text) for text in numbers] for numbers in roots]
        machines = [Machine(world.graph, each, world.vocabulary()) for each in entries]
        return cls(world.vocabulary(), machines, joint, labels, corruption)

    # ------------------------------------------------------------------ what all questions share
    def _read(self, batch: Batch) -> tuple[list[Text], list[Reading], Tensor]:
        """The texts, their readings, and how likely each sequence is (B,)."""
        texts = take_apart(batch)
        if len(texts) != len(self.machines):
            raise ValueError(f"the batch has {len(texts)} text(s) in a row, this floor is for {len(self.machines)}")
        readings = [
            machine.read(text.pieces, text.lengths, table)
            for machine, text, table in zip(self.machines, texts, self._tables, strict=True)
        ]
        likelihood = self._joint_likelihood(readings, self.joint)
        impossible = (likelihood <= 0).nonzero().flatten().tolist()
        if impossible:
            raise ValueError(
                f"sequences {impossible[:5]} cannot come from this world, kind and {self.corruption}; "
                "is the batch made from them, with World.vocabulary() and random words from all but the special pieces?"
            )
        return texts, readings, likelihood

    @staticmethod
    def _joint_likelihood(readings: list[Reading], joint: Tensor) -> Tensor:
        """Σ_ab L_a joint_ab L_b (B,), with L_b = 1 if there is no second text."""
        first = readings[0].likelihood @ joint
        return (first * readings[1].likelihood).sum(1) if len(readings) == 2 else first.sum(1)

    def _weights(self, readings: list[Reading]) -> list[Tensor]:
        """For each text, how much each of its roots counts given the other text: (B, R)."""
        if len(readings) == 1:
            return [self.joint.sum(1).expand_as(readings[0].likelihood)]
        return [readings[1].likelihood @ self.joint.T, readings[0].likelihood @ self.joint]

    # ------------------------------------------------------------------ the questions
    def likelihood(self, batch: Batch) -> Tensor:
        """How probable each whole text is, (B,), exactly: 0 if the world cannot say it. Texts may be of any length."""
        texts = take_apart(batch)
        known = torch.stack(
            [
                (text.lengths > 0) & (text.lengths <= len(machine.layers))
                for machine, text in zip(self.machines, texts, strict=True)
            ]
        ).all(0)
        found = torch.zeros(len(known), dtype=torch.float64)
        if bool(known.any()):
            texts = take_apart({name: tensor[known] for name, tensor in batch.items()})
            readings = [
                machine.read(text.pieces, text.lengths, table)
                for machine, text, table in zip(self.machines, texts, self._tables, strict=True)
            ]
            found[known] = self._joint_likelihood(readings, self.joint)
        return found

    def words(self, batch: Batch, *, left_only: bool = False) -> WordFloor:
        """The posterior of the true piece at each scored position (`labels` ≠ -100), in reading order.

        With `left_only` only the pieces up to and including the scored one are seen, and nothing of how long the texts
        are: the floor of a model with causal attention that reads the same batch.
        """
        texts, readings, _ = self._read(batch)
        weights = self._weights(readings)
        if left_only:
            weights[0] = self.joint.sum(1).expand_as(weights[0])
            readings = [
                machine.read(text.pieces, text.lengths, table, future=False)
                for machine, text, table in zip(self.machines, texts, self._tables, strict=True)
            ]
        labels, seen = batch["labels"].cpu().flatten(), batch["input_ids"].cpu().flatten()
        scored = labels != -100
        row = scored.cumsum(0) - 1  # the place of each token among the scored ones
        cavity = torch.zeros(int(scored.sum()), self.machines[0].emissions.shape[1], dtype=torch.float64)
        sequence = torch.zeros(len(cavity), dtype=torch.long)
        for machine, text, reading, weight in zip(self.machines, texts, readings, weights, strict=True):
            for position in reading.positions(weight):
                places = text.places[position.texts, position.index]
                asked = scored[places]
                by_emission = torch.zeros(len(machine.emissions), int(asked.sum()), dtype=torch.float64)
                by_emission.index_add_(0, position.layer.emission, position.cavity[:, asked])
                cavity[row[places[asked]]] = by_emission.T @ machine.emissions
                sequence[row[places[asked]]] = position.texts[asked]
        probabilities = self.corruption.selected(cavity, seen[scored])
        return WordFloor(self.vocabulary, probabilities, sequence, labels[scored], seen[scored])

    def label(self, batch: Batch, name: str) -> LabelFloor:
        """The posterior of a label of the whole sequence: `next`, `topic`, `mood`, `answerable`, `shared` ..."""
        if name not in self.labels:
            raise ValueError(f"label {name!r}: this floor knows {sorted(self.labels)}")
        _, readings, likelihood = self._read(batch)
        parts = self.labels[name]
        probabilities = torch.stack([self._joint_likelihood(readings, joint) for joint in parts.values()], dim=1)
        return LabelFloor(list(parts), probabilities / likelihood[:, None], torch.arange(len(likelihood)))

    def tokens(self, batch: Batch, what: str = "tag") -> TokenFloor:
        """The posterior of the `tag` (BIO) or `slot` of each piece but [CLS] and [SEP], in reading order."""
        if what not in ("tag", "slot"):
            raise ValueError(f"{what!r}: expected 'tag' or 'slot'")
        layers = [layer for machine in self.machines for layer in machine.layers]
        values = sorted({getattr(label, what) for layer in layers for label in layer.labels})
        number = {value: column for column, value in enumerate(values)}
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for text, position in self._posteriors(batch):
            owner = torch.tensor([number[getattr(label, what)] for label in position.layer.labels])
            weight = torch.zeros(len(values), len(position.texts), dtype=torch.float64)
            weight.index_add_(0, owner, position.posterior)
            found.append((text.places[position.texts, position.index], position.texts, weight.T))
        places, sequence, weights = (torch.cat(parts) for parts in zip(*found, strict=True))
        order = places.argsort()
        return TokenFloor(values, (weights / weights.sum(1, keepdim=True))[order], sequence[order], places[order])

    def answers(self, batch: Batch) -> Tensor:
        """The posterior of the answer (B, S, S): `p[b, i, j]`: it is pieces i to j; `p[b, 0, 0]`: there is none.

        Places count from the [CLS] of the sequence, as `start_positions` and `end_positions` do; each `p[b]` sums to 1.
        """
        width = batch["input_ids"].shape[1]
        likelihood = self._read(batch)[2]
        spans = torch.zeros(len(likelihood), width, width, dtype=torch.float64)
        first_lengths = take_apart(batch)[0].lengths
        for _, position in self._posteriors(batch, only_second=True):
            lengths = torch.tensor([label.answer for label in position.layer.labels])
            start = first_lengths[position.texts] + 2 + position.index
            for length in set(lengths.tolist()) - {0}:
                weight = position.posterior[lengths == length].sum(0) / likelihood[position.texts]
                spans[position.texts, start, (start + length - 1).clamp(max=width - 1)] += weight
        spans[:, 0, 0] = 1 - spans.sum((1, 2))
        return spans

    def _posteriors(self, batch: Batch, *, only_second: bool = False) -> Iterator[tuple[Text, Position]]:
        """All positions of all texts with the posterior weight of each state."""
        texts, readings, _ = self._read(batch)
        for text, reading, weight in list(zip(texts, readings, self._weights(readings), strict=True))[only_second:]:
            for position in reading.positions(weight):
                yield text, position
