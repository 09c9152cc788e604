"""Marks the padding, as nn.MultiheadAttention's key_padding_mask does.

answer: padding-mask
caught by: test-padding-mask
message: True means that a token may be heard
"""


def padding_mask(input_ids, pad_id):
    return (input_ids == pad_id)[:, None, None, :]
