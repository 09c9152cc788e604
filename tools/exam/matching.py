"""Questions on chapter 11: a softmax over partners, ranks with ties, what finding and reading cost."""

import math
import random

from tools.exam.question import Question, decimals, table


def pick_the_partner(draw: random.Random) -> Question:
    """The loss of one text in a batch, and what a shared partner does to it."""
    cosines = [draw.choice([0.6, 0.7, 0.8, 0.9]), draw.choice([0.1, 0.2, 0.3]), draw.choice([0.0, 0.4])]
    temperature = draw.choice([0.1, 0.2, 0.5])
    powers = [math.exp(cosine / temperature) for cosine in cosines]
    loss, shared = (math.log(sum(some) / some[0]) for some in (powers, [powers[0], *powers]))
    return Question(
        "Pick your partner",
        4,
        f"A batch has three texts. The first text's cosines with the three partners are {decimals(cosines, 1)}; the first "
        f"partner is its own. The temperature is {temperature}. What does the first text pay, in nats? A fourth text has the "
        "very same partner as the first, and joins the batch. What does the first text pay now, and what is the least it "
        "can pay, however good the encoder?",
        f"ln(1 + sum of e^((c - {cosines[0]:.1f}) / {temperature}) over the others) = {loss:.3f}. With its own partner among the "
        f"wrong answers {shared:.3f}; never less than ln 2 = 0.693, because the right answer is marked wrong once.",
    )


def ranks_with_ties(draw: random.Random) -> Question:
    """Spearman's correlation by hand."""
    while True:
        cosines = [draw.randint(1, 9) / 10 for _ in range(4)]
        gold = [draw.randint(0, 3) for _ in range(4)]
        if len(set(cosines)) == 4 and len(set(gold)) == 3:
            break
    one, other = ([sum(x < y for x in some) + (some.count(y) + 1) / 2 for y in some] for some in (cosines, gold))
    a, b = [x - 2.5 for x in one], [x - 2.5 for x in other]
    rho = sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))
    rows = [
        [number, f"{cosine:.1f}", parts] for number, (cosine, parts) in enumerate(zip(cosines, gold, strict=True), 1)
    ]
    return Question(
        "Ranks",
        4,
        table(["pair", "cosine", "parts in common"], rows)
        + "\n\nGive the ranks of both columns, 1 for the smallest, and Spearman's correlation. What becomes of it if every "
        "cosine is squared?",
        f"{decimals(one, 1)} and {decimals(other, 1)}; {rho:.3f}. Nothing: all cosines are positive, so squares have the same order.",
    )


def find_and_read(draw: random.Random) -> Question:
    """Passes of both encoders, and the ceiling of reranking."""
    size, queries, best = draw.choice([10_000, 50_000, 200_000]), draw.choice([100, 1_000]), draw.choice([10, 50])
    recall, right = draw.choice([0.8, 0.9, 0.95]), draw.choice([0.8, 0.9])
    return Question(
        "Find and read",
        4,
        f"{queries:,} queries are asked of {size:,} texts. How many encoder passes does a cross-encoder need that reads "
        f"everything? How many a bi-encoder? How many both together, if the cross-encoder reads the {best} best? The bi-encoder's "
        f"recall@{best} is {recall}, and the cross-encoder puts the right text first in {right:.0%} of the cases in which it "
        f"is among the {best}. What is recall@1?",
        f"{queries * size:,}; {size + queries:,}, of which {size:,} only once; {size + queries + queries * best:,}. "
        f"{recall} x {right} = {recall * right:.3f}; with a perfect reader {recall}.",
    )
