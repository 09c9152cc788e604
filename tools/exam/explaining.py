"""Questions on chapter 14: what an explanation may be."""

import math
import random

from tools.exam.question import Question, shares, table


def third_word(draw: random.Random) -> Question:
    """In a first layer the ratio of two weights stays when a third word changes."""
    weights = shares(draw, 4)
    tea, milk, third, _ = weights
    grown = third + draw.choice([0.02, 0.03, 0.04])
    left = (1 - grown) / (1 - third)
    rows = [[n, f"{w:.2f}"] for n, w in zip(("tea", "milk", "she", "all others"), weights, strict=True)]
    return Question(
        "A third word",
        4,
        "In its first layer one head of a BERT gives, from the blank:\n\n"
        + table(["token", "weight"], rows)
        + f"\n\n*she* is replaced by *he*, which gets {grown:.2f} in its place. Give the new weights of *tea* and *milk*. "
        "Which quantity cannot have changed, and why? Does the same hold in the second layer?",
        f"tea {tea * left:.3f}, milk {milk * left:.3f}: each times {left:.3f}. Their ratio {tea / milk:.2f} stays: query and "
        "keys of a first layer know their own token and place only, and the softmax divides all by one sum. In the second "
        "layer the states have met the pronoun, and the ratio may change.",
    )


def drawn_anew(draw: random.Random) -> Question:
    """The exact effect of a word in a world with a planted rule."""
    words, kept = draw.choice([3, 4, 5, 8]), draw.choice([0.6, 0.7, 0.8, 0.9])
    right, wrong = kept + (1 - kept) / words, (1 - kept) / words
    gap = math.log(right / wrong)
    return Question(
        "The true cause",
        4,
        f"In a world the answer is the word that the line names, with probability {kept}; else it is drawn from all {words} "
        "words, each as likely. The best possible guess is explained. What does it lose on average, in nats of "
        "log-probability, when the named word is drawn anew from all of them? What is lost when a word is drawn anew on "
        "which the rule does not depend? Somebody's score ranks the two words right. Name one comparison that is missing.",
        f"Right {right:.3f}, any other {wrong:.3f}; in {words - 1} of {words} cases ln({right:.3f}/{wrong:.3f}) = {gap:.3f} is "
        f"lost: {gap * (words - 1) / words:.3f} nats. Nothing is lost for the other word. Missing: a score that knows the "
        "position only, or one by lot.",
    )
