"""Measures distances without their direction.

answer: baselines
caught by: test-baselines
message: an offset has a sign
"""


def baselines(chosen, tested):
    """How often the best fixed offset and the best fixed place of `chosen` are right on `tested`."""
    offsets, places = [abs(asked - asks) for asks, asked in chosen], [asked for _, asked in chosen]
    offset, place = max(offsets, key=offsets.count), max(places, key=places.count)
    return {
        "offset": sum(abs(asked - asks) == offset for asks, asked in tested) / len(tested),
        "place": sum(asked == place for _, asked in tested) / len(tested),
    }
