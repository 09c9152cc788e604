"""Compares with the first gold answer only.

answer: f1
caught by: test-f1
message: expected
"""

import string
from collections import Counter


def my_f1(said, golds):
    def words_of(text):
        kept = "".join(char for char in text.lower() if char not in string.punctuation)
        return [word for word in kept.split() if word not in ("a", "an", "the")]

    words, gold = words_of(said), words_of(golds[0]) if golds else []
    if not words or not gold:
        return float(words == gold)
    return 2 * sum((Counter(words) & Counter(gold)).values()) / (len(words) + len(gold))
