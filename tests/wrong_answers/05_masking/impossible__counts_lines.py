"""Counts possible fillers instead of weighing them: right where all are equally probable.

answer: impossible
caught by: test-impossible
message: Weigh each filler by its posterior
"""


def impossible(language, line):
    fitting = [
        other
        for other in language
        if len(other) == len(line) and all(a is None or a == b for a, b in zip(line, other, strict=True))
    ]
    fillers = [{other[place] for other in fitting} for place in range(len(line))]
    return 1 - len(fitting) / math.prod(map(len, fillers))
