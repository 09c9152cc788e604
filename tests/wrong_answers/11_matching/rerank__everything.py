"""Compares the whole list.

answer: rerank
caught by: test-rerank
message: leave it alone
"""


def my_rerank(found, compare, best):
    lists, number_of_calls = [], 0
    for query, numbers in enumerate(found):
        scores = {number: compare(query, number) for number in numbers}
        number_of_calls += len(scores)
        lists.append(sorted(scores, key=lambda number: -scores[number]))
    return lists, number_of_calls
