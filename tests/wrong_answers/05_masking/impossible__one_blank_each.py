"""Conditions each blank on the true filler of the other, as if blanks were filled one after another.

answer: impossible
caught by: test-impossible
message: 4 of 16 combinations exist
"""


def impossible(language, line):
    fitting = [
        other
        for other in language
        if len(other) == len(line) and all(a is None or a == b for a, b in zip(line, other, strict=True))
    ]
    return 0.0 if fitting else 1.0
