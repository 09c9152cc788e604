"""Never gives up on a long word: nearly right.

answer: place-pieces
caught by: test-place-pieces
message: a word of 101 characters is one [UNK]
"""


def place_pieces(word, vocab):
    found, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start > 0 else "") + word[start:end]
            if piece in vocab:
                break
        else:
            return [("[UNK]", 0, len(word))]
        found.append((piece, start, end))
        start = end
    return found
