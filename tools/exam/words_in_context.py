"""Questions on part I: what a guess costs, words in context, word pieces, attention, the encoder."""

import itertools
import math
import random
from fractions import Fraction

from tools.exam.question import Question, decimals, shares, table


def cost_of_guesses(draw: random.Random) -> Question:
    """A loss from the probabilities of the true words."""
    held = draw.sample([0.02, 0.05, 0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.8, 0.9], 4)
    costs = [-math.log(p) for p in held]
    return Question(
        "What a guess costs",
        3,
        f"At four blanks a model gave the true word the probabilities {decimals(held)}. What is its loss in nats? "
        "Which blank costs most, and what would the loss be if the model had been certain and right there?",
        f"Costs {decimals(costs)}; loss {sum(costs) / 4:.2f} nats. The blank with {min(held):.2f} costs most; without "
        f"it the loss is {(sum(costs) - max(costs)) / 4:.2f} nats.",
    )


def floor_of_a_blank(draw: random.Random) -> Question:
    """Entropy, cross-entropy, and the distance between them."""
    true, said = shares(draw, 3), shares(draw, 3)
    while said == true:
        said = shares(draw, 3)
    floor = -sum(p * math.log(p) for p in true)
    cost = -sum(p * math.log(q) for p, q in zip(true, said, strict=True))
    rows = [[name, f"{p:.2f}", f"{q:.2f}"] for name, p, q in zip(("wet", "late", "lost"), true, said, strict=True)]
    return Question(
        "A floor under a blank",
        4,
        "What could be known of a blank, and what a model says:\n\n"
        + table(["word", "best possible", "model"], rows)
        + "\n\nCompute the floor at this blank, what the model pays there on average, and its distance to the floor. How "
        "often does the best player guess the right word?",
        f"Floor {floor:.3f} nats (the entropy), cost {cost:.3f} nats, distance {cost - floor:.3f} nats (the KL "
        f"divergence). The best player names the likeliest word and is right {max(true):.0%} of the time.",
    )


def one_row_for_two_senses(draw: random.Random) -> Question:
    """Counts of two senses, added, and what the one row is near to."""
    common = [draw.randint(10, 40), draw.randint(10, 40), 0, draw.randint(1, 6)]
    rare = [0, draw.randint(0, 2), draw.randint(4, 9), draw.randint(1, 4)]
    one = [a + b for a, b in zip(common, rare, strict=True)]

    def cosine(a: list[int], b: list[int]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)

    rows = [["mole, the animal", *common], ["mole, the spy", *rare]]
    return Question(
        "One row for two senses",
        5,
        "The neighbours of *mole* were counted, sense by sense:\n\n"
        + table(["", "garden", "the", "secret", "found"], rows)
        + "\n\nGive the one row of *mole*, its cosine with the row of each sense, and the share of its counts that are the "
        "spy's. A text ten times as long is counted in the same way. What happens to the two cosines?",
        f"Row {one}. Cosine with the animal {cosine(one, common):.3f}, with the spy {cosine(one, rare):.3f}; share of the "
        f"spy {sum(rare) / sum(one):.3f}. Nothing, up to chance: the senses keep their shares, and the one row is their sum.",
    )


def one_side_and_both(draw: random.Random) -> Question:
    """Exact losses of readers of one side and of both, for two words that depend on each other."""
    counts = [[draw.randint(1, 9) for _ in range(2)] for _ in range(2)]
    total = sum(map(sum, counts))
    joint = [[count / total for count in row] for row in counts]
    first = [sum(row) for row in joint]
    second = [sum(column) for column in zip(*joint, strict=True)]

    def entropy(parts: list[float]) -> float:
        return -sum(p * math.log(p) for p in parts)

    both = entropy([p for row in joint for p in row])
    rows = [[name, *row] for name, row in zip(("ada", "bruno"), counts, strict=True)]
    left = [entropy(first), both - entropy(first)]
    right = [both - entropy(second), entropy(second)]
    return Question(
        "Left, right, and both",
        6,
        f"A language has sentences of two words. This is how often each of its four sentences is said, of {total}:\n\n"
        + table(["", "read", "drew"], rows)
        + "\n\nWhat is the least possible loss at the first and at the second word, for a reader from the left, for one "
        "from the right, and for one who fills a single blank and sees the other word? Why do the first two pay the same "
        "in all, and what is it that they pay?",
        f"From the left {decimals(left, 3)}, from the right {decimals(right, 3)}, both sides "
        f"{decimals([right[0], left[1]], 3)} nats. Left and right pay {both:.3f} nats for a sentence, the entropy of the "
        "whole sentence: the chain rule, from either end.",
    )


def longest_pieces(draw: random.Random) -> Question:
    """Greedy longest match on two words, one of which cannot be spelled to its end."""
    stem, longer, endings = draw.choice(
        [
            ("play", "playe", ("rs", "d")),
            ("hand", "hands", ("ome", "et", "aw")),
            ("read", "readi", ("ng", "ly", "ed")),
            ("paint", "painte", ("rs", "d", "rly")),
            ("cook", "cooke", ("ry", "d", "rs")),
        ]
    )
    kept, lost = draw.sample(endings, 2)
    decoys = draw.sample(["##e" + kept, "##i" + kept, "##s" + kept, "##y"], 2)
    pieces = sorted({stem, longer, "##" + kept, *decoys})
    return Question(
        "Longest first",
        4,
        f"A vocabulary holds {', '.join(f'`{piece}`' for piece in pieces)} and the special tokens. Cut {longer}{kept}, "
        f"{longer}{lost} and {stem} as BERT does. Why does it not matter for the first of them that {stem} is there? How "
        "many pieces would the second have if the matcher kept what it could spell?",
        f"{longer} ##{kept}; [UNK], since nothing spells *{lost}* inside a word; {stem}. The longest beginning is taken, "
        f"and the matcher does not go back. It would have two: {longer} and [UNK].",
    )


def count_or_score(draw: random.Random) -> Question:
    """The next merge by count and by score."""
    while True:
        counts = {word: draw.randint(2, 15) for word in ("hat", "hot", "pot", "pit", "hats")}
        spelled = {word: [word[0], *("##" + char for char in word[1:])] for word in counts}
        one: dict[str, int] = {}
        two: dict[tuple[str, str], int] = {}
        for word, parts in spelled.items():
            for part in parts:
                one[part] = one.get(part, 0) + counts[word]
            for first, second in itertools.pairwise(parts):
                two[first, second] = two.get((first, second), 0) + counts[word]
        scores = {pair: Fraction(count, one[pair[0]] * one[pair[1]]) for pair, count in two.items()}
        by_count, by_score = max(two, key=lambda pair: two[pair]), max(scores, key=lambda pair: scores[pair])
        unique = list(two.values()).count(two[by_count]) == list(scores.values()).count(scores[by_score]) == 1
        if unique and by_count != by_score:
            break
    joined = [f"{first} {second}" for first, second in (by_count, by_score)]
    return Question(
        "Count or score",
        5,
        "A text holds these words:\n\n"
        + table(["word", "times"], [[word, count] for word, count in counts.items()])
        + "\n\nEach is spelled in single letters, with ## inside a word. Which pair is merged first by byte-pair encoding, "
        "and which by the score that explanations of WordPiece give? Write both numbers down. Which of the two does the "
        "library's trainer for WordPiece merge?",
        f"By count {joined[0]}, {two[by_count]} times. By score {joined[1]}: {two[by_score]} / ({one[by_score[0]]} x "
        f"{one[by_score[1]]}) = {scores[by_score]}. The library merges by count: {joined[0]}.",
    )


def attention_by_hand(draw: random.Random) -> Question:
    """One row of scaled dot-product attention, with a masked place."""
    query = [draw.randint(-2, 2), draw.choice([-2, -1, 1, 2]), draw.randint(-2, 2), draw.choice([-2, 2])]
    keys = [[draw.randint(-1, 2) for _ in range(4)] for _ in range(4)]
    values = [draw.randint(-5, 9) for _ in range(4)]
    masked = draw.randrange(4)
    scores = [sum(a * b for a, b in zip(query, key, strict=True)) / 2 for key in keys]
    exps = [0.0 if place == masked else math.exp(score) for place, score in enumerate(scores)]
    weights = [value / sum(exps) for value in exps]
    mixed = sum(weight * value for weight, value in zip(weights, values, strict=True))
    rows = [[place + 1, key, value] for place, (key, value) in enumerate(zip(keys, values, strict=True))]
    return Question(
        "One row of attention",
        6,
        f"A token asks with the query {query}. Four tokens answer; number {masked + 1} is padding and must not be read.\n\n"
        + table(["token", "key", "value"], rows)
        + "\n\nCompute the scores, the weights and the result of scaled dot-product attention, to two places. Between "
        "which two numbers must the result lie, whatever the query?",
        f"Scores (divided by the root of 4): {decimals(scores, 1)}, of which number {masked + 1} becomes minus infinity. "
        f"Weights {decimals(weights)}. Result {mixed:.2f}. The weights are not negative and add up to 1, so it lies "
        f"between {min(v for n, v in enumerate(values) if n != masked)} and "
        f"{max(v for n, v in enumerate(values) if n != masked)}.",
    )


def shapes_of_attention(draw: random.Random) -> Question:
    """Shapes and counts of multi-head attention."""
    batch, length, heads, size = draw.choice([2, 4, 8]), draw.choice([10, 24, 50]), draw.choice([3, 4, 6]), 16
    hidden = heads * size
    return Question(
        "Shapes",
        4,
        f"Multi-head attention with {heads} heads reads a batch of {batch} texts of {length} tokens, {hidden} numbers "
        "each. Give the shapes of the query after it was split into heads, of the weights, and of what all heads "
        "together give back before the last projection. How many parameters do the four projections have, biases "
        "included, and what happens to the number of weights if the texts become twice as long?",
        f"Query ({batch}, {heads}, {length}, {size}); weights ({batch}, {heads}, {length}, {length}); result ({batch}, "
        f"{length}, {hidden}). Parameters 4 x ({hidden} x {hidden} + {hidden}) = {4 * (hidden * hidden + hidden):,}. "
        f"There are {batch * heads * length**2:,} weights, and four times as many at twice the length.",
    )


def parameters_of_an_encoder(draw: random.Random) -> Question:
    """Count the parameters of an encoder layer and of the embeddings."""
    hidden, layers = draw.choice([48, 64, 96]), draw.choice([2, 3, 4])
    vocabulary, positions = draw.choice([200, 1_000, 5_000]), draw.choice([32, 64, 128])
    wide = 4 * hidden
    attention = 4 * (hidden * hidden + hidden)
    feed_forward = hidden * wide + wide + wide * hidden + hidden
    layer = attention + feed_forward + 4 * hidden
    embeddings = (vocabulary + positions + 2) * hidden + 2 * hidden
    return Question(
        "Counting parameters",
        6,
        f"A BERT has {layers} layers, {hidden} numbers per token, a feed-forward network four times as wide, a vocabulary "
        f"of {vocabulary:,}, {positions} positions and two segments. How many parameters have its embeddings, one layer, "
        "and all layers? Which of these numbers changes with the number of heads?",
        f"Embeddings ({vocabulary} + {positions} + 2) x {hidden} + 2 x {hidden} (LayerNorm) = {embeddings:,}. A layer: "
        f"attention {attention:,}, feed-forward {feed_forward:,}, two LayerNorms {4 * hidden}: {layer:,}. All layers "
        f"{layers * layer:,}. None changes with the number of heads.",
    )


def layer_norm_by_hand(draw: random.Random) -> Question:
    """LayerNorm of a residual sum."""
    state, change = ([draw.randint(-3, 5) for _ in range(4)] for _ in range(2))
    whole = [a + b for a, b in zip(state, change, strict=True)]
    while len(set(whole)) == 1:
        change[0] += 1
        whole[0] += 1
    mean = sum(whole) / 4
    deviation = math.sqrt(sum((one - mean) ** 2 for one in whole) / 4)
    return Question(
        "Add and norm",
        4,
        f"A token's state is {state}, and a sub-layer computes {change} from it. What does a post-norm layer hand on, with "
        "gain 1, bias 0 and no epsilon? What would it hand on if state and change were both ten times as large?",
        f"Sum {whole}, mean {mean:.2f}, deviation {deviation:.2f} (divided by 4, not by 3): "
        f"{decimals([(one - mean) / deviation for one in whole])}. Ten times as large: the same.",
    )
