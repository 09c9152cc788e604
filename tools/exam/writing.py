"""Questions on chapter 12: blanks that do not know each other, conditionals without a joint, ROUGE by hand."""

import random

from tools.exam.question import Question, shares, table


def longest(one: list[str], other: list[str]) -> list[str]:
    """The most words of two texts that stand in both in the same order."""
    row: list[list[str]] = [[] for _ in range(len(other) + 1)]
    for word in one:
        before = row[:]
        for j, there in enumerate(other):
            row[j + 1] = [*before[j], word] if word == there else max(before[j + 1], row[j], key=len)
    return row[-1]


def blanks_at_once(draw: random.Random) -> Question:
    """What separate draws of a perfect model are worth, and what greedy filling finds."""
    while True:
        one, two, three = shares(draw, 3, of=100)
        if one + two > three > max(one, two) and one != two:  # the surest piece is not of the likeliest line
            break
    first, second = one + two, three
    possible = first * first + second * second
    found = max(one, two)
    return Question(
        "Blanks at once",
        5,
        table(
            ["line", "probability"],
            [["read maps", f"{one:.2f}"], ["read books", f"{two:.2f}"], ["fed goats", f"{three:.2f}"]],
        )
        + "\n\nA language has these three lines. A perfect masked model is given two blanks. (a) Both are filled at once by drawing. "
        "With which probability is the line possible? (b) One blank is filled at a time, the most confident first, each with "
        "its likeliest piece. Which line comes out, and how probable is it? (c) Which line is the most probable?",
        f"(a) {first:.2f} x {first:.2f} + {second:.2f} x {second:.2f} = {possible:.4f}. (b) read ({first:.2f}) is surer than goats "
        f"({second:.2f}); then {'maps' if one > two else 'books'}: {found:.2f}. (c) fed goats, {three:.2f}: greedy filling "
        "never looks back.",
    )


def two_rows_no_joint(draw: random.Random) -> Question:
    """Odds ratios from both sides, and where Gibbs sampling ends."""
    while True:
        p, q, r, s = (draw.randint(1, 9) / 10 for _ in range(4))
        ratios = [x * (1 - y) / ((1 - x) * y) for x, y in ((p, q), (r, s))]
        if p != q and r != s and abs(ratios[0] - ratios[1]) > 0.5:
            break
    at_a = (q + (p - q) * s) / (1 - (p - q) * (r - s))  # a = q + (p - q) b and b = s + (r - s) a
    equal = at_a * r + (1 - at_a) * (1 - s)
    return Question(
        "Two rows, no joint",
        5,
        table(["", "if the other is *boat*", "if the other is *seal*"], [["A is *boat*", p, q], ["B is *boat*", r, s]])
        + "\n\nA masked model says this of two blanks A and B, each *boat* or *seal*. Compute the odds ratio from either row. "
        "Is there a joint distribution? A and B are drawn in turn, for a long time. How often is A *boat*? Just after B was "
        "drawn, how often are both the same?",
        f"{ratios[0]:.3f} and {ratios[1]:.3f}: no joint has two odds ratios. a = {q} {p - q:+.1f} b and b = {s} {r - s:+.1f} a give "
        f"a = {at_a:.3f}. The same just after B: {at_a:.3f} x {r} + {1 - at_a:.3f} x {1 - s:.1f} = {equal:.3f}.",
    )


def rouge_by_hand(draw: random.Random) -> Question:
    """ROUGE-1 and ROUGE-L of two short texts with a word that comes twice."""
    words = ["the", "the", *draw.sample(["dog", "cat", "bit", "saw", "old", "man", "judge", "baker"], 4)]
    while True:
        reference = draw.sample(words, 5)
        written = draw.sample([*words, "and"], draw.randint(4, 6))
        common = sum(min(written.count(word), reference.count(word)) for word in set(written))
        in_order = longest(written, reference)
        if 1 < len(in_order) < common and "the" in written:
            break
    both = len(written) + len(reference)
    return Question(
        "ROUGE",
        4,
        f"Reference: *{' '.join(reference)}*. Written: *{' '.join(written)}*. Compute ROUGE-1 and ROUGE-L (both as F1). "
        "What can you change in the written text so that ROUGE-1 stays and ROUGE-L is as high as ROUGE-1?",
        f"Words in common {common}: 2 x {common} / {both} = {2 * common / both:.3f}. In the same order {len(in_order)} "
        f"(*{' '.join(in_order)}*): 2 x {len(in_order)} / {both} = {2 * len(in_order) / both:.3f}. Put the common words into the order of the reference.",
    )
