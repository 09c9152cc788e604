"""The capstone's judge: entity F1 of one tagger or of several, and its errors, one a line, to be read by hand.

python capstone/score.py runs/seed-0 runs/seed-1 --gold dev.conll
python capstone/score.py runs/seed-0 --gold dev.conll --errors 50
"""

import argparse
import random
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from bertmini import BertForTokenClassification, TaggedWords, WordPieceTokenizer, predict_tags, read_conll
from bertmini.files import find_checkpoint
from bertmini.metrics import Entity, entities, entity_scores

Tags = Sequence[Sequence[str]]


def tag(checkpoint: str, gold: Sequence[TaggedWords]) -> list[list[str]]:
    """What a checkpoint says of the words of the gold sentences, each word by itself, as `finetune` judges it."""
    folder = find_checkpoint(checkpoint)
    model = BertForTokenClassification.from_pretrained(folder)
    words = [sentence.words for sentence in gold]
    return predict_tags(model, WordPieceTokenizer.from_pretrained(folder), words)


def scores(said: Sequence[Tags], gold: Sequence[TaggedWords]) -> Iterator[str]:
    """A line for all entities and one for each kind: F1, with mean and standard deviation if there are several runs."""
    truth = [sentence.tags for sentence in gold]
    kinds = sorted({entity.kind for tags in truth for entity in entities(tags)})
    for kind in (None, *kinds):
        found = [entity_scores(tags, truth, kind) for tags in said]
        f1 = [each.f1 for each in found]
        spread = f" ± {statistics.stdev(f1):.3f} over {len(f1)} runs" if len(f1) > 1 else ""
        yield (
            f"{kind or 'all':14} F1 {statistics.mean(f1):.3f}{spread}   "
            f"precision {statistics.mean(each.precision for each in found):.3f}   "
            f"recall {statistics.mean(each.recall for each in found):.3f}   {found[0].support:,} entities"
        )


def errors(said: Tags, gold: Sequence[TaggedWords]) -> list[str]:
    """Every entity that only one side has, with its sentence; the kind of the error is the reader's to find."""
    lines = []
    for tags, (words, truth) in zip(said, gold, strict=True):
        one, other = set(entities(tags)), set(entities(truth))
        for side, found in (("said", one - other), ("missed", other - one)):
            lines += [f"{side:6} {shown(entity, words)}   |   {' '.join(words)}" for entity in sorted(found)]
    return lines


def shown(entity: Entity, words: Sequence[str]) -> str:
    """An entity's kind and words."""
    return f"{entity.kind}: {' '.join(words[entity.begin : entity.end])}"


def main() -> None:
    """Judge the checkpoints that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+", help="what `finetune tagging` wrote")
    parser.add_argument("--gold", type=Path, required=True, help="tagged sentences in CoNLL's columns")
    parser.add_argument("--errors", type=int, default=0, help="how many errors of the first checkpoint to draw")
    parser.add_argument("--seed", type=int, default=0, help="of that draw")
    asked = parser.parse_args()
    gold = read_conll(asked.gold)
    said = [tag(checkpoint, gold) for checkpoint in asked.checkpoints]
    print(*scores(said, gold), sep="\n")
    wrong = errors(said[0], gold)
    if asked.errors:
        drawn = random.Random(asked.seed).sample(wrong, min(asked.errors, len(wrong)))
        print(f"\n{len(drawn)} of {len(wrong)} errors", *drawn, sep="\n")


if __name__ == "__main__":
    main()
