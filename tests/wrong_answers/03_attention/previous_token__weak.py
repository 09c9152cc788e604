"""Tunes the strength on six tokens; it is too weak for twenty.

answer: previous-token
caught by: test-previous-token
message: the weight falls to
"""


def previous_token_head(length):
    to_query, to_key = torch.zeros(4 + length, length), torch.zeros(4 + length, length)
    for position in range(length):
        to_key[4 + position, position] = 1.0
        if position > 0:
            to_query[4 + position, position - 1] = 20.0
    return to_query, to_key
