"""Goes back and finds a spelling where greed finds none.

answer: place-pieces
caught by: test-place-pieces
message: unbelievable gives
"""


def place_pieces(word, vocab):
    def spell(start):
        if start == len(word):
            return []
        ways = []
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            rest = spell(end) if piece in vocab else None
            if rest is not None:
                ways.append([(piece, start, end), *rest])
        return min(ways, key=len) if ways else None

    if len(word) > 100:
        return [("[UNK]", 0, len(word))]
    found = spell(0)
    return [("[UNK]", 0, len(word))] if found is None else found
