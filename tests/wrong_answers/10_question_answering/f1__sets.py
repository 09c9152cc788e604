"""Sets of words: a word that comes twice counts once.

answer: f1
caught by: test-f1
message: as often as it stands there
"""

import string


def my_f1(said, golds):
    def words_of(text):
        kept = "".join(char for char in text.lower() if char not in string.punctuation)
        return {word for word in kept.split() if word not in ("a", "an", "the")}

    def f1(words, gold):
        if not words or not gold:
            return float(words == gold)
        return 2 * len(words & gold) / (len(words) + len(gold))

    kept = [words for words in map(words_of, golds) if words]
    return max(f1(words_of(said), gold) for gold in kept or [set()])
