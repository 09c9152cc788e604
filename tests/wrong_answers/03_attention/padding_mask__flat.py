"""Leaves the mask (B, S), which does not fit the scores (B, H, S, S).

answer: padding-mask
caught by: test-padding-mask
message: expected the shape (2, 1, 1, 5)
"""


def padding_mask(input_ids, pad_id):
    return input_ids != pad_id
