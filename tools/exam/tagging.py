"""Questions on tagging: entities counted whole, and tags that BIO allows."""

import itertools
import random

from tools.exam.question import Question, decimals, table

WORDS = ("Stanley", "Holland", "met", "Wells", "in", "New", "Chester", ".")
TRUE = ("B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", "I-LOC", "O")


def spans(tags: list[str]) -> set[tuple[int, int, str]]:
    """First word, word after the last, and kind of each entity of legal tags."""
    begins = [place for place, tag in enumerate(tags) if tag.startswith("B-")]
    ends = [next((j for j in range(i + 1, len(tags)) if not tags[j].startswith("I-")), len(tags)) for i in begins]
    return {(i, j, tags[i][2:]) for i, j in zip(begins, ends, strict=True)}


def entities_by_hand(draw: random.Random) -> Question:
    """Words right, and precision, recall and F1 of whole entities."""
    faults = {
        "border": {1: "O"},
        "kind": {3: draw.choice(("B-LOC", "B-ORG"))},
        "split": {6: "B-LOC"},
        "beginning": {5: "O", 6: "B-LOC"},
        "invented": {2: draw.choice(("B-PER", "B-ORG"))},
        "missed": {3: "O"},
        "end": {7: "I-LOC"},
        "whole": {5: "B-ORG", 6: "I-ORG"},
    }
    said = list(TRUE)
    names = draw.sample(sorted(faults), 3)
    for name in names:
        for place, tag in faults[name].items():
            said[place] = tag
    said = [
        tag.replace("I-", "B-") if tag.startswith("I-") and said[place - 1][2:] != tag[2:] else tag
        for place, tag in enumerate(said)
    ]
    mine, theirs = spans(said), spans(list(TRUE))
    hits, right = len(mine & theirs), sum(a == b for a, b in zip(said, TRUE, strict=True))
    precision, recall = hits / len(mine), hits / len(theirs)
    f1 = 2 * hits / (len(mine) + len(theirs))
    named = ", ".join(f"{' '.join(WORDS[i:j])} ({kind})" for i, j, kind in sorted(mine))
    rows = [[word, true, tag] for word, true, tag in zip(WORDS, TRUE, said, strict=True)]
    return Question(
        "Whole entities",
        5,
        "A tagger's answers beside the true tags:\n\n"
        + table(["word", "true", "said"], rows)
        + "\n\nWhich share of the words is right? Give precision, recall and F1 of the entities. Which of its errors costs "
        "twice, and why?",
        f"{right} of 8 words right ({right / 8:.3f}). Said: {named}. {len(mine)} said, {len(theirs)} there, {hits} in both: precision "
        f"{precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}. A wrong border or kind: the entity that was said counts "
        "against precision, the one that was there against recall.",
    )


def best_legal_tags(draw: random.Random) -> Question:
    """Greedy tags and Viterbi's, for three words and three tags."""
    tags = ("O", "B-PER", "I-PER")

    def allowed(path: tuple[int, ...]) -> bool:
        return all(tag != 2 or (place > 0 and path[place - 1] > 0) for place, tag in enumerate(path))

    while True:
        scores = [[draw.randint(0, 9) / 2 for _ in tags] for _ in range(3)]
        greedy = tuple(max(range(3), key=row.__getitem__) for row in scores)
        sums = {path: sum(scores[i][t] for i, t in enumerate(path)) for path in itertools.product(range(3), repeat=3)}
        legal = sorted((total for path, total in sums.items() if allowed(path)), reverse=True)
        if not allowed(greedy) and legal[0] > legal[1] and all(len(set(row)) == 3 for row in scores):
            break
    best = max(filter(allowed, sums), key=sums.__getitem__)
    rows = [[word, *row] for word, row in zip(("Ada", "Holland", "slept"), scores, strict=True)]
    return Question(
        "The best tags that BIO allows",
        5,
        "A tagger's logits for three words:\n\n"
        + table(["word", *tags], rows)
        + "\n\nWhich tags does it give if each word is tagged by itself, and what is wrong with them? Which sequence does "
        "Viterbi's algorithm give, and by how much is the sum of its logits lower? How many sequences did it not have to "
        "look at one by one, of how many?",
        f"Each by itself: {' '.join(tags[t] for t in greedy)}, where an I-PER continues nothing. Viterbi: "
        f"{' '.join(tags[t] for t in best)}, sum {sums[best]:.1f} in the place of {decimals([sums[greedy]], 1)}, lower by "
        f"{sums[greedy] - sums[best]:.1f}. {len(legal)} of 27 sequences are legal; it keeps three ways at each word.",
    )
