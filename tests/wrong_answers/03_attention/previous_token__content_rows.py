"""Forgets that the positions begin at row 4.

answer: previous-token
caught by: test-previous-token
message: the positions begin at row 4
"""


def previous_token_head(length):
    to_query, to_key = torch.zeros(4 + length, length), torch.zeros(4 + length, length)
    for position in range(length):
        to_key[position, position] = 1.0
        if position > 0:
            to_query[position, position - 1] = 10 * math.sqrt(length)
    return to_query, to_key
