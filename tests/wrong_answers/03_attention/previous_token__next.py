"""Turns the direction round: token i asks for the one behind it.

answer: previous-token
caught by: test-previous-token
message: looks at the next token
"""


def previous_token_head(length):
    to_query, to_key = torch.zeros(4 + length, length), torch.zeros(4 + length, length)
    for position in range(length):
        to_key[4 + position, position] = 1.0
        if position < length - 1:
            to_query[4 + position, position + 1] = 10 * math.sqrt(length)
    return to_query, to_key
