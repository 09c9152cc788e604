"""Takes each word at its next place in the other text: never looks whether waiting is better.

answer: lcs
caught by: test-lcs
message: 3 words, gaps allowed
"""


def longest_in_common(one, other):
    """A longest sequence of words that stands in both lists in the same order, gaps allowed."""
    found, begin = [], 0
    for word in one:
        if word in other[begin:]:
            begin = other.index(word, begin) + 1
            found.append(word)
    return found


def my_rouge_l(written, reference):
    """ROUGE-L, an F1, of two lists of words."""
    common = len(longest_in_common(written, reference))
    return 2 * common / (len(written) + len(reference)) if common else 0.0
