"""Moves the border instead of removing it: right while no id lies below pad_id.

answer: padding-mask
caught by: test-padding-mask
message: compare with pad_id for equality
"""


def padding_mask(input_ids, pad_id):
    return (input_ids > pad_id)[:, None, None, :]
