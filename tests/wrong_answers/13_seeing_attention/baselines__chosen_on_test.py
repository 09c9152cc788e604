"""Chooses and tests on the same words, because both names are at hand.

answer: baselines
caught by: test-baselines
message: choose on `chosen` only
"""


def baselines(chosen, tested):
    """How often the best fixed offset and the best fixed place of `chosen` are right on `tested`."""
    offsets, places = [asked - asks for asks, asked in tested], [asked for _, asked in tested]
    return {
        "offset": max(offsets.count(offset) for offset in offsets) / len(tested),
        "place": max(places.count(place) for place in places) / len(tested),
    }
