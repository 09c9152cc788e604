"""Divides by the pieces: what the exercise is there to avoid.

answer: bits
caught by: test-bits
message: 0.5 bits per character
"""


def bits_per_character(words, logs):
    return -sum(sum(of_word) for of_word in logs) / math.log(2) / sum(len(of_word) for of_word in logs)
