"""Two segments, and whether the second follows the first: the material of next-sentence prediction.

As in the BERT paper (Devlin et al. 2019, section 3.1, task 2 and appendix A.2; released code, create_pretraining_data):
a segment is a run of sentences, together as long as the model takes; half the second segments really follow, half come
from another document; now and then (10 %) a pair is short on purpose, so that short inputs are met in training. Label 0
means *is next*. Sentences that a random second segment has displaced begin the next pair, so nothing is wasted.

Without next-sentence prediction a text is one run of whole sentences (Liu et al. 2019, section 4.2, "doc-sentences"):
a pair without a second segment.

Taught in chapter 06.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

IS_NEXT, NOT_NEXT = 0, 1
SHORT_PAIR_PROBABILITY = 0.1


class Pair(NamedTuple):
    """Two segments of ids without special tokens, and their label: 0 = the second follows, 1 = it does not.

    An empty second segment means that there is none.
    """

    first: list[int]
    second: list[int]
    next_sentence_label: int


def sentence_pairs(
    documents: Sequence[Sequence[list[int]]], max_length: int, *, generator: torch.Generator
) -> list[Pair]:
    """Cut documents - lists of sentences, each a list of ids - into pairs of `max_length` tokens, special ones counted.

    With one document alone, random second segments come from another place in it. Raises `ValueError` if `max_length`
    leaves no room for two tokens.
    """
    room = max_length - 3
    if room < 2:
        raise ValueError(f"max_length {max_length} has no room for [CLS] a [SEP] b [SEP]; it must be at least 5")
    documents = [[sentence for sentence in document if sentence] for document in documents]
    documents = [document for document in documents if document]
    chance = Chance(generator)
    return [
        truncate_by_turns(pair, room, chance)
        for number in range(len(documents))
        for pair in pairs_of(documents, number, room, chance)
    ]


class Chance:
    """Random whole numbers and coins from one explicit generator, drawn in blocks because single draws are slow."""

    def __init__(self, generator: torch.Generator) -> None:
        """Draw from `generator` from now on."""
        self.generator = generator
        self.block: list[float] = []

    def uniform(self) -> float:
        """Draw from [0, 1)."""
        if not self.block:
            self.block = torch.rand(4096, generator=self.generator, dtype=torch.float64).tolist()
        return self.block.pop()

    def below(self, limit: int) -> int:
        """Draw a whole number from 0 to limit - 1."""
        return int(self.uniform() * limit)


def single_segments(
    documents: Sequence[Sequence[list[int]]], max_length: int, *, generator: torch.Generator
) -> list[Pair]:
    """Cut documents into runs of as many whole sentences as `max_length` tokens hold, special ones counted.

    What a sentence has too much is the beginning of the next run. Raises `ValueError` if `max_length` leaves no room.

    >>> generator = torch.Generator().manual_seed(2)
    >>> [pair.first for pair in single_segments([[[5, 6], [7], [8, 9, 10, 11, 12]]], 6, generator=generator)]
    [[5, 6, 7], [8, 9, 10, 11], [12]]
    """
    room = max_length - 2
    if room < 2:
        raise ValueError(f"max_length {max_length} has no room for [CLS] a text [SEP]; it must be at least 4")
    chance = Chance(generator)
    segments: list[list[int]] = []
    for document in documents:
        run: list[int] = []
        target = draw_target(room, chance)
        for sentence in document:
            if run and len(run) + len(sentence) > target:
                segments.append(run)
                run, target = [], draw_target(room, chance)
            run = run + sentence
            while len(run) > room:
                segments.append(run[:room])
                run = run[room:]
        segments += [run] if run else []
    return [Pair(segment, [], IS_NEXT) for segment in segments]


def draw_target(room: int, chance: Chance) -> int:
    """Draw how many tokens to gather: as many as there is room for or, now and then, fewer."""
    return 2 + chance.below(room - 1) if chance.uniform() < SHORT_PAIR_PROBABILITY else room


def pairs_of(documents: Sequence[Sequence[list[int]]], number: int, room: int, chance: Chance) -> list[Pair]:
    """Make all pairs whose first segment comes from one document."""
    document = documents[number]
    pairs, begin = [], 0
    while begin < len(document):
        target = draw_target(room, chance)
        end = gather(document, begin, target)
        # At least one sentence for the first segment, and one left for the second if there are two.
        middle = end if end - begin == 1 else begin + 1 + chance.below(end - begin - 1)
        first = join(document[begin:middle])
        if middle == end or chance.uniform() < 0.5:
            second = random_segment(documents, number, middle, max(1, target - len(first)), chance)
            if second is None:
                break
            pairs.append(Pair(first, second, NOT_NEXT))
            begin = middle
        else:
            pairs.append(Pair(first, join(document[middle:end]), IS_NEXT))
            begin = end
    return pairs


def gather(document: Sequence[list[int]], begin: int, target: int) -> int:
    """Find where a run of sentences from `begin` first reaches `target` tokens; at least one sentence."""
    length, end = 0, begin
    while end < len(document) and length < target:
        length += len(document[end])
        end += 1
    return end


def random_segment(
    documents: Sequence[Sequence[list[int]]], number: int, following: int, target: int, chance: Chance
) -> list[int] | None:
    """Draw a run of about `target` tokens from another document than `number`.

    Where there is no other, the run begins anywhere but at the sentence that is really `following`; None where there
    is but one sentence.
    """
    if len(documents) > 1:
        other = chance.below(len(documents) - 1)
        document = documents[other + (other >= number)]
        begin = chance.below(len(document))
    else:
        document = documents[number]
        if len(document) == 1:
            return None
        begin = chance.below(len(document) - 1)
        begin += begin >= following
    return join(document[begin : gather(document, begin, target)])


def join(sentences: Sequence[list[int]]) -> list[int]:
    """Put sentences one after another."""
    return [token for sentence in sentences for token in sentence]


def truncate_by_turns(pair: Pair, room: int, chance: Chance) -> Pair:
    """Shorten the longer segment, token by token, at a random end of it, until both fit (released code, as BERT)."""
    first, second = pair.first, pair.second
    begins, lengths = [0, 0], [len(first), len(second)]
    while sum(lengths) > room:
        longer = 0 if lengths[0] > lengths[1] else 1
        begins[longer] += chance.uniform() < 0.5
        lengths[longer] -= 1
    first = first[begins[0] : begins[0] + lengths[0]]
    second = second[begins[1] : begins[1] + lengths[1]]
    return Pair(first, second, pair.next_sentence_label)
