"""Has no label for [CLS] and [SEP].

answer: line-up
caught by: test-line-up
message: one label for each piece, the special ones too
"""


def line_up(pieces_of_words, tags, which):
    pieces, labels, places = ["[CLS]"], [], []
    for word, tag in zip(pieces_of_words, tags, strict=False):
        places.append(len(pieces))
        pieces += word
        labels += [tag] + [None] * (len(word) - 1)
    return [*pieces, "[SEP]"], labels, places
