"""Keeps the pieces found before the matcher got stuck.

answer: place-pieces
caught by: test-place-pieces
message: is one [UNK] from 0 to its length
"""


def place_pieces(word, vocab):
    found, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start > 0 else "") + word[start:end]
            if piece in vocab:
                break
        else:
            return [*found, ("[UNK]", start, len(word))]
        found.append((piece, start, end))
        start = end
    return found
