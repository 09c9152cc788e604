"""Multiplies by alpha instead of raising to it.

answer: fair
caught by: test-fair
message: weights 2 and 1
"""


def mixture(first, second, alpha, total):
    weights = [len(lines) * alpha for lines in (first, second)]
    count = round(total * weights[0] / sum(weights))
    return [first[n % len(first)] for n in range(count)] + [second[n % len(second)] for n in range(total - count)]


def pieces_per_word(lines, asked):
    tokenizer = WordPieceTokenizer.train(lines, 250, min_frequency=1)
    return sum(len(tokenizer.tokenize(line)) for line in asked) / sum(len(line.split()) for line in asked)
