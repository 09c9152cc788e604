"""The mean of the lines' own ratios: nearly right, since these lines are about equally long.

answer: fair
caught by: test-fair
message: divide all pieces by all words
"""


def mixture(first, second, alpha, total):
    weights = [len(lines) ** alpha for lines in (first, second)]
    count = round(total * weights[0] / sum(weights))
    return [first[n % len(first)] for n in range(count)] + [second[n % len(second)] for n in range(total - count)]


def pieces_per_word(lines, asked):
    tokenizer = WordPieceTokenizer.train(lines, 250, min_frequency=1)
    return sum(len(tokenizer.tokenize(line)) / len(line.split()) for line in asked) / len(asked)
