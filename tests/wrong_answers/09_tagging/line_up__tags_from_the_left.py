"""Lays the tags beside the tokens from the left, as if there were no [CLS] and no pieces.

answer: line-up
caught by: test-line-up
message: first pieces: the labels are
"""


def line_up(pieces_of_words, tags, which):
    pieces = ["[CLS]", *[piece for word in pieces_of_words for piece in word], "[SEP]"]
    labels = [*tags, *[None] * (len(pieces) - len(tags))]
    return pieces, labels, list(range(len(tags)))
