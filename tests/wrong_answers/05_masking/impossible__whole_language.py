"""Takes the blanks' distributions over the whole language, not given what is visible.

answer: impossible
caught by: test-impossible
message: with one blank nothing impossible
"""


def impossible(language, line):
    lines = {other: p for other, p in language.items() if len(other) == len(line)}
    total = sum(lines.values())
    possible = 0.0
    for other in lines:
        if all(a is None or a == b for a, b in zip(line, other, strict=True)):
            blanks = [place for place, piece in enumerate(line) if piece is None]
            possible += math.prod(
                sum(p for third, p in lines.items() if third[place] == other[place]) / total for place in blanks
            )
    return 1 - possible
