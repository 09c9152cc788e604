"""Forgets in which sentence an entity stands.

answer: my-f1
caught by: test-my-f1
message: the sentence must be right
"""


def my_f1(said, truth):
    def spans(sentences):
        found = set()
        for tags in sentences:
            begin = None
            for place, tag in enumerate([*tags, "O"]):
                goes_on = begin is not None and tag == "I-" + tags[begin][2:]
                if begin is not None and not goes_on:
                    found.add((begin, place, tags[begin][2:]))
                    begin = None
                if tag != "O" and not goes_on:
                    begin = place
        return found

    mine, theirs = spans(said), spans(truth)
    return 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine or theirs else 0.0
