"""Divides by the number of different words, as the package did until 2019.

answer: lcs
caught by: test-lcs
message: = 0.6
"""


def longest_in_common(one, other):
    """A longest sequence of words that stands in both lists in the same order, gaps allowed."""
    best = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]  # [i][j]: how many in common after i and j words
    for i, word in enumerate(one):
        for j, word_there in enumerate(other):
            best[i + 1][j + 1] = best[i][j] + 1 if word == word_there else max(best[i][j + 1], best[i + 1][j])
    found, i, j = [], len(one), len(other)
    while best[i][j]:
        if best[i - 1][j] == best[i][j]:
            i -= 1
        elif best[i][j - 1] == best[i][j]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            found.append(one[i])
    return found[::-1]


def my_rouge_l(written, reference):
    """ROUGE-L, an F1, of two lists of words."""
    common = len(longest_in_common(written, reference))
    return 2 * common / (len(set(written)) + len(set(reference))) if common else 0.0
