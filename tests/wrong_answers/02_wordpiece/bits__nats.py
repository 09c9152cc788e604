"""Forgets that the logarithms are natural ones.

answer: bits
caught by: test-bits
message: 0.5 bits per character
"""


def bits_per_character(words, logs):
    return -sum(sum(of_word) for of_word in logs) / sum(len(word) for word in words)
