"""Questions on parts III and IV: classification, and what heads look at."""

import math
import random

from tools.exam.question import Question, shares, table


def confusion(draw: random.Random) -> Question:
    """Accuracy, precision, recall and F1 from a confusion matrix."""
    counts = [[draw.randint(20, 60), draw.randint(2, 15)], [draw.randint(2, 15), draw.randint(5, 40)]]
    (true_no, false_yes), (false_no, true_yes) = counts
    precision, recall = true_yes / (true_yes + false_yes), true_yes / (true_yes + false_no)
    whole = sum(map(sum, counts))
    return Question(
        "A confusion matrix",
        5,
        table(["", "said: no", "said: yes"], [["is: no", *counts[0]], ["is: yes", *counts[1]]])
        + "\n\nGive the accuracy, and precision, recall and F1 of *yes*. What accuracy has a model that always gives the "
        "commoner answer?",
        f"Accuracy {(true_no + true_yes) / whole:.3f}; precision {precision:.3f}, recall {recall:.3f}, F1 "
        f"{2 * precision * recall / (precision + recall):.3f}; always the commoner: {max(map(sum, counts)) / whole:.3f}.",
    )


def calibration(draw: random.Random) -> Question:
    """Expected calibration error from three bins."""
    said = [0.55, 0.75, 0.95]
    counts = [draw.randrange(20, 80, 10) for _ in said]
    right = [round(n * draw.uniform(0.4, 1.0)) for n in counts]
    gaps = [abs(r / n - p) for r, n, p in zip(right, counts, said, strict=True)]
    error = sum(n * gap for n, gap in zip(counts, gaps, strict=True)) / sum(counts)
    rows = [[f"{p:.2f}", n, r] for p, n, r in zip(said, counts, right, strict=True)]
    return Question(
        "Does it mean what it says?",
        4,
        "A classifier's answers, by how sure it was:\n\n"
        + table(["mean probability of its answer", "answers", "right"], rows)
        + "\n\nCompute the expected calibration error. In which group is it surest of itself without reason? Can a "
        "classifier that always says 0.5 for two equally frequent classes be calibrated?",
        f"Gaps {', '.join(f'{gap:.3f}' for gap in gaps)}; ECE {error:.3f}. "
        + (
            f"Most over-confident at {max(zip(said, right, counts, strict=True), key=lambda x: x[0] - x[1] / x[2])[0]}."
            if any(r / n < p for r, n, p in zip(right, counts, said, strict=True))
            else "In none: it is right more often than it says everywhere."
        )
        + " Yes, and it is of no use: calibration is not accuracy.",
    )


def ceiling(draw: random.Random) -> Question:
    """The best possible accuracy from a posterior."""
    groups = shares(draw, 3)
    sure = [draw.choice([0.55, 0.6, 0.7]), draw.choice([0.75, 0.8, 0.9]), 1.0]
    best = sum(share * p for share, p in zip(groups, sure, strict=True))
    rows = [[f"{share:.2f}", f"{p:.2f}"] for share, p in zip(groups, sure, strict=True)]
    reported = best + draw.choice([-0.03, 0.03])
    return Question(
        "Below or above the ceiling",
        4,
        "In a language of which everything is known, texts are of three kinds:\n\n"
        + table(["share of the texts", "probability of the likelier class"], rows)
        + f"\n\nWhat is the best possible accuracy? A model is reported to reach {reported:.1%} on a million test texts. "
        "What do you say?",
        f"{best:.1%}. "
        + (
            "The model is below it and has something left to learn: no objection."
            if reported < best
            else "That is above what can be known: the label has leaked into the text, or the test into the training."
        ),
    )


def head_and_baseline(draw: random.Random) -> Question:
    """Is a head's hit rate more than a baseline's, and more than luck?"""
    count = draw.choice([50, 80, 120, 200])
    hits, baseline = round(count * draw.uniform(0.55, 0.8)), draw.randint(35, 60) / 100
    share = hits / count
    error = math.sqrt(share * (1 - share) / count)
    heads = draw.choice([8, 144])
    return Question(
        "A head that looks",
        5,
        f"One of {heads} heads, the best of them on these very sentences, has its largest weight on the verb's object in "
        f"{hits} of {count} sentences. Always pointing at the next word but one is right in {baseline:.0%}. Give the hit "
        "rate with its standard error. Is it more than the baseline? Name two things that must be done before one may say "
        "that this head looks for objects.",
        f"{share:.2f} ± {error:.2f}; {(share - baseline) / error:.1f} standard errors above the baseline"
        f"{'' if share > baseline + 2 * error else ', which may be luck'}. It was chosen as the best of {heads} on the same "
        "sentences: choose on one set, measure on another. And: an untrained model beside it, other seeds, other wordings, "
        "cutting the head and watching the prediction.",
    )


def weights_and_values(draw: random.Random) -> Question:
    """Attention weight is not an amount that arrives."""
    weights = shares(draw, 3)
    lengths = draw.sample([0.1, 0.5, 1.0, 2.0, 4.0, 8.0], 3)
    arriving = [weight * length for weight, length in zip(weights, lengths, strict=True)]
    names = ("[SEP]", "tea", "the")
    rows = [[n, f"{w:.2f}", length] for n, w, length in zip(names, weights, lengths, strict=True)]
    most, looked = names[arriving.index(max(arriving))], names[weights.index(max(weights))]
    return Question(
        "What arrives",
        3,
        "One row of a head:\n\n"
        + table(["token", "weight", "length of the value vector"], rows)
        + "\n\nFrom which token does the largest vector arrive? Is it the one with the largest weight? What does this say "
        "about reading a map of weights?",
        f"Lengths that arrive: {', '.join(f'{name} {one:.2f}' for name, one in zip(names, arriving, strict=True))}. Most "
        f"from {most}; the largest weight is on {looked}. A weight says what is taken from, not how much arrives.",
    )
