"""The mean of the words' own rates: nearly right.

answer: bits
caught by: test-bits
message: no mean of means
"""


def bits_per_character(words, logs):
    rates = [-sum(of_word) / math.log(2) / len(word) for word, of_word in zip(words, logs, strict=True)]
    return sum(rates) / len(rates)
