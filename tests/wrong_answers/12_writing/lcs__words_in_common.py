"""Words in common, whatever their order, as for ROUGE-1.

answer: lcs
caught by: test-lcs
message: in this order
"""


def longest_in_common(one, other):
    """A longest sequence of words that stands in both lists in the same order, gaps allowed."""
    rest, found = list(other), []
    for word in one:
        if word in rest:
            rest.remove(word)
            found.append(word)
    return found


def my_rouge_l(written, reference):
    """ROUGE-L, an F1, of two lists of words."""
    common = len(longest_in_common(written, reference))
    return 2 * common / (len(written) + len(reference)) if common else 0.0
