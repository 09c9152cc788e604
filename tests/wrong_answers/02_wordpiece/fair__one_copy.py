"""Does not read the small language again where it ends.

answer: fair
caught by: test-fair
message: nine lines were asked for
"""


def mixture(first, second, alpha, total):
    weights = [len(lines) ** alpha for lines in (first, second)]
    count = round(total * weights[0] / sum(weights))
    return first[:count] + second[: total - count]


def pieces_per_word(lines, asked):
    tokenizer = WordPieceTokenizer.train(lines, 250, min_frequency=1)
    return sum(len(tokenizer.tokenize(line)) for line in asked) / sum(len(line.split()) for line in asked)
