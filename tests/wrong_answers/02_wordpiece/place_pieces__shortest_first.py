"""Looks for the shortest piece first.

answer: place-pieces
caught by: test-place-pieces
message: always the longest piece
"""


def place_pieces(word, vocab):
    found, start = [], 0
    while start < len(word):
        for end in range(start + 1, len(word) + 1):
            piece = ("##" if start > 0 else "") + word[start:end]
            if piece in vocab:
                break
        else:
            return [("[UNK]", 0, len(word))]
        found.append((piece, start, end))
        start = end
    return found
