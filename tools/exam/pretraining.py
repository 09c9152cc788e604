"""Questions on part II: masking, next-sentence prediction, pretraining."""

import math
import random

from tools.exam.question import Question, decimals, table


def fates_of_words(draw: random.Random) -> Question:
    """How many words meet which fate."""
    tokens = draw.choice([2_000, 4_000, 10_000])
    rate = draw.choice([0.1, 0.15, 0.2, 0.3, 0.4])
    fates = draw.choice([(0.8, 0.1, 0.1), (0.6, 0.2, 0.2), (0.7, 0.1, 0.2), (0.5, 0.3, 0.2)])
    masked, changed, kept = (round(tokens * rate * fate) for fate in fates)
    visible = tokens - masked
    return Question(
        "Three fates",
        5,
        f"{tokens:,} words are corrupted at a masking rate of {rate:.0%}, with {'/'.join(f'{fate:.0%}' for fate in fates)} "
        "for mask, random and kept. How many words of each fate are expected, and how many are scored? Of the words that "
        "are visible, which share is wrong? (Ignore that a random word may happen to be the right one.) And of the "
        "visible words that are scored?",
        f"Scored {round(tokens * rate):,}: masked {masked:,}, random {changed:,}, kept {kept:,}. Visible {visible:,}, of "
        f"which {changed / visible:.1%} are wrong; of those that are visible and scored, {changed / (changed + kept):.0%}.",
    )


def word_seen_through_a_channel(draw: random.Random) -> Question:
    """Bayes' rule at a visible word that may have been changed."""
    rate, random_share = draw.choice([0.15, 0.3]), draw.choice([0.1, 0.2])
    words = draw.choice([50, 100, 200])
    prior_seen = draw.choice([0.01, 0.02, 0.05, 0.1])
    # Selected and replaced: each of the words comes out equally often. Kept or not selected: itself.
    replaced = rate * random_share / words
    itself = 1 - rate * (1 - 0.1) + replaced
    seen = prior_seen * itself + (1 - prior_seen) * replaced
    return Question(
        "Is it a misprint?",
        6,
        f"A word is selected with probability {rate:.2f}. If it is, it is kept with probability 0.10, replaced by one of "
        f"{words} words at random with {random_share:.2f}, and masked otherwise. From the rest of the sentence the word "
        f"*lamp* has probability {prior_seen:.2f} here. You see *lamp*. How probable is it that *lamp* was written?",
        f"Seen as itself: {itself:.4f}; seen in place of another word: {replaced:.2e}. Posterior "
        f"{prior_seen:.2f} x {itself:.4f} / ({prior_seen:.2f} x {itself:.4f} + {1 - prior_seen:.2f} x {replaced:.2e}) = "
        f"{prior_seen * itself / seen:.3f}.",
    )


def next_or_not(draw: random.Random) -> Question:
    """Likelihood ratio and the best possible answer."""
    follows, anywhere = draw.choice([0.2, 0.3, 0.5, 0.6]), draw.choice([0.01, 0.02, 0.04, 0.05])
    share = draw.choice([0.5, 0.5, 0.6, 0.75])
    ratio = follows / anywhere
    odds = ratio * share / (1 - share)
    return Question(
        "Next or not",
        4,
        f"A second sentence has probability {follows:.2f} after this first one, and {anywhere:.2f} when it is drawn at "
        f"random; {share:.0%} of all pairs are true ones. What is the likelihood ratio, and with what probability is this "
        "pair a true one? Can any sentence make *next* certain? Can any make *not next* certain?",
        f"Ratio {ratio:.1f}; {odds / (1 + odds):.3f}. *Next* is never certain, since a random draw may bring the true "
        "sentence; *not next* is, where the sentence cannot follow.",
    )


def ranking_and_threshold(draw: random.Random) -> Question:
    """AUC, hit rate and false alarms from a handful of scores."""
    scores = [number / 100 for number in draw.sample(range(5, 99), 8)]
    true, false = sorted(scores[:4], reverse=True), sorted(scores[4:], reverse=True)
    auc = sum(a > b for a in true for b in false) / 16
    hits, alarms = sum(a > 0.5 for a in true), sum(b > 0.5 for b in false)
    return Question(
        "Ranking and threshold",
        5,
        f"A model gives four true pairs the probabilities {decimals(true)} of being *next*, and four random ones "
        f"{decimals(false)}. Give its hit rate and its rate of false alarms at 0.5, its accuracy, and the AUC. What can be "
        "high while the accuracy is at a coin's?",
        f"Hit rate {hits}/4, false alarms {alarms}/4, accuracy {(hits + 4 - alarms) / 8:.1%}; AUC "
        f"{round(16 * auc)}/16 = {auc:.2f}: of all pairs of a true and a false one, the share that is in order. The AUC "
        "does not depend on the threshold.",
    )


def accumulated_loss(draw: random.Random) -> Question:
    """Micro-batches weighted by what is scored."""
    counts = draw.sample([4, 6, 10, 12, 20, 28, 40], 3)
    losses = [draw.randint(20, 60) / 10 for _ in counts]
    right = sum(n * loss for n, loss in zip(counts, losses, strict=True)) / sum(counts)
    rows = [[number, n, loss] for number, (n, loss) in enumerate(zip(counts, losses, strict=True), start=1)]
    return Question(
        "Accumulation",
        4,
        "Three micro-batches make one step:\n\n"
        + table(["micro-batch", "scored words", "mean loss"], rows)
        + "\n\nWhat is the loss of the one big batch? What does the mean of the three means give? By which factor must each "
        "micro-batch's mean loss be multiplied before `backward()`?",
        f"{right:.3f} nats; the mean of the means gives {sum(losses) / 3:.3f}. Factors "
        f"{decimals([n / sum(counts) for n in counts], 3)}: the share of the scored words.",
    )


def budget_of_a_run(draw: random.Random) -> Question:
    """How long a run takes."""
    parameters, tokens = draw.choice([5e6, 11e6, 30e6, 110e6]), draw.choice([1e8, 3e8, 1e9])
    speed, share = draw.choice([1e11, 5e11, 1e13]), draw.choice([0.3, 0.4, 0.5])
    seconds = 6 * parameters * tokens / (speed * share)
    return Question(
        "How long will it take?",
        3,
        f"A model has {parameters / 1e6:.0f} million parameters in its layers and is to read {tokens / 1e6:.0f} million "
        f"tokens on a machine that can do {speed:.0e} operations a second, of which training reaches {share:.0%}. "
        "Estimate the time by the rule of six operations per parameter and token. What does the rule leave out?",
        f"6 x {parameters:.1e} x {tokens:.1e} = {6 * parameters * tokens:.1e} operations: {seconds:,.0f} s, or "
        f"{seconds / 3600:,.1f} hours. Left out: attention's scores, which grow with the square of the length, the "
        "projection to the vocabulary, the optimiser, reading of data.",
    )


def warmed_up_rate(draw: random.Random) -> Question:
    """A linear schedule with warm-up."""
    steps, warmup = draw.choice([1_000, 2_000, 5_000]), draw.choice([0.05, 0.1, 0.2])
    peak = draw.choice([1e-4, 4e-4, 1e-3])
    rising = int(steps * warmup)
    early, late = rising // draw.choice([2, 4, 5]), rising + (steps - rising) // draw.choice([2, 4])
    return Question(
        "Warm-up",
        3,
        f"The rate rises linearly to {peak:g} over the first {warmup:.0%} of {steps:,} steps and falls linearly to 0 at the "
        f"end. What is it after {early} and after {late} steps?",
        f"Rising for {rising} steps: {peak * early / rising:.2e} after {early}; then {steps - late} of {steps - rising} "
        f"steps are left: {peak * (steps - late) / (steps - rising):.2e} after {late}.",
    )


def perplexity(draw: random.Random) -> Question:
    """Loss and perplexity."""
    loss, other = draw.randint(150, 350) / 100, draw.randint(360, 500) / 100
    return Question(
        "Perplexity",
        3,
        f"Two models have held-out losses of {loss} and {other} nats on the same blanks. What are their perplexities? How "
        "many times more probability, in the geometric mean, does the first give to the true words? One of them has a "
        "vocabulary twice as large: what can then no longer be said?",
        f"{math.exp(loss):.1f} and {math.exp(other):.1f}; {math.exp(other - loss):.2f} times. With other vocabularies the "
        "blanks are other pieces, and losses per piece cannot be compared; per character they can.",
    )
