"""Exact match, not F1.

answer: f1
caught by: test-f1
message: expected
"""

import string


def my_f1(said, golds):
    def words_of(text):
        kept = "".join(char for char in text.lower() if char not in string.punctuation)
        return [word for word in kept.split() if word not in ("a", "an", "the")]

    kept = [words for words in map(words_of, golds) if words]
    return max(float(words_of(said) == gold) for gold in kept or [[]])
