"""A word without a piece shifts every label after it.

answer: line-up
caught by: test-line-up
message: the labels of
"""


def line_up(pieces_of_words, tags, which):
    pieces, labels, places = ["[CLS]"], [None], []
    for word, tag in zip(pieces_of_words, tags, strict=False):
        places.append(len(pieces) + (0 if which == "first" else len(word) - 1))
        pieces += word
        silent = [None] * (len(word) - 1)
        labels += [tag, *silent] if which == "first" else [*silent, tag]
    return [*pieces, "[SEP]"], [*labels, None], places
