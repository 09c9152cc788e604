"""The longest run of neighbouring words: no gaps.

answer: lcs
caught by: test-lcs
message: 3 words, gaps allowed
"""


def longest_in_common(one, other):
    """A longest sequence of words that stands in both lists in the same order, gaps allowed."""
    longest = []
    for i in range(len(one)):
        for j in range(i, len(one) + 1):
            run = one[i:j]
            if len(run) > len(longest) and any(other[k : k + len(run)] == run for k in range(len(other))):
                longest = run
    return longest


def my_rouge_l(written, reference):
    """ROUGE-L, an F1, of two lists of words."""
    common = len(longest_in_common(written, reference))
    return 2 * common / (len(written) + len(reference)) if common else 0.0
