"""Questions on chapter 10: spans and the null answer, windows, a reader in a library."""

import random

from tools.exam.question import Question, decimals, table


def best_span(draw: random.Random) -> Question:
    """The best pair, the two maxima that do not fit, and the null answer."""
    while True:
        start, end = ([draw.randint(0, 60) / 10 for _ in range(6)] for _ in range(2))
        pairs = {(i, j): start[i] + end[j] for i in range(1, 6) for j in range(i, 6)}
        best = max(pairs, key=lambda pair: pairs[pair])
        maxima = max(range(1, 6), key=start.__getitem__), max(range(1, 6), key=end.__getitem__)
        alone = list(pairs.values()).count(pairs[best]) == 1
        if maxima[0] > maxima[1] and alone and len(set(start)) == len(set(end)) == 6:
            break
    null, margin = start[0] + end[0], pairs[best] - start[0] - end[0]
    tokens = ("[CLS]", "she", "lives", "in", "ash", "##ford")
    rows = [[token, f"{s:.1f}", f"{e:.1f}"] for token, s, e in zip(tokens, start, end, strict=True)]
    words = " ".join(tokens[best[0] : best[1] + 1]).replace(" ##", "")
    threshold = round(margin + draw.choice([-1, 1]), 1)
    return Question(
        "Begin and end",
        5,
        "A reader's scores for a passage (the question's tokens are left out):\n\n"
        + table(["token", "begins here", "ends here"], rows)
        + f"\n\nWhich span is best, and what does it score? What goes wrong with the best begin and the best end, each for "
        f"itself? What is answered if a span must beat *no answer* by more than {threshold:.1f}?",
        f"*{words}*, {pairs[best]:.1f}. The best begin is {tokens[maxima[0]]}, the best end {tokens[maxima[1]]}, which lies "
        f"before it. No answer scores {null:.1f}, the margin is {margin:.1f}: "
        + (f"*{words}* is answered." if margin > threshold else "there is no answer."),
    )


def windows(draw: random.Random) -> Question:
    """How many windows, and which of them hold two facts."""
    room = draw.choice([100, 120, 150, 200])
    pieces, overlap = room * draw.randint(2, 4) + draw.randint(11, 49), draw.choice([0, 20, 40])
    step = room - overlap
    begins = list(range(0, pieces - room + step, step))
    one = draw.randint(10, pieces - 80)
    other = one + draw.randint(15, 60)
    both = [number for number, begin in enumerate(begins, start=1) if begin <= one and other < begin + room]
    shown = ", ".join(f"{begin} to {min(begin + room, pieces) - 1}" for begin in begins)
    return Question(
        "Windows",
        4,
        f"A passage has {pieces} pieces. A window has room for {room} of them, and two windows that follow each other share "
        f"{overlap}. Give the pieces of each window, counted from 0. A name stands at piece {one}, the fact about it at piece "
        f"{other}. Which windows hold both? How large must the overlap be for one window to hold any two pieces that are as "
        "far apart as these, wherever they stand?",
        f"{shown}. "
        + (f"Window {' and '.join(map(str, both))}. " if both else "None. ")
        + f"At least {other - one}: then the earlier of the two always lies in a window that reaches the later.",
    )


def reader_in_a_library(draw: random.Random) -> Question:
    """Recall and end-to-end accuracy, if errors are independent."""
    recall = draw.choice([0.8, 0.85, 0.9, 0.95])
    right, false = draw.choice([0.9, 0.95, 1.0]), draw.choice([0.02, 0.05, 0.1])
    few, many = 5, draw.choice([20, 50])
    quiet = [(1 - false) ** (k - 1) for k in (few, many)]
    return Question(
        "A reader in a library",
        4,
        f"The right passage is among the first {few} in {recall:.0%} of the questions, among the first {many} in all. The "
        f"reader answers right on {right:.0%} of the right passages. On a wrong one it finds, in {false:.0%} of cases, a span "
        "that scores higher than the right answer; take these to be independent. How often does the system answer right "
        f"when it reads {few} passages, and when it reads {many}? What would you measure before you read more passages?",
        f"{recall:.2f} x {right:.2f} x {1 - false:.2f}^{few - 1} = {recall * right * quiet[0]:.2f}; {right:.2f} x "
        f"{1 - false:.2f}^{many - 1} = {right * quiet[1]:.2f} (no false span in {decimals(quiet)} of the questions). How often "
        "the reader refuses a passage that does not answer.",
    )
