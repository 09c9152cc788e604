"""Takes the mean offset, rounded, instead of the commonest.

answer: baselines
caught by: test-baselines
message: four of six objects stand three words on
"""


def baselines(chosen, tested):
    """How often the best fixed offset and the best fixed place of `chosen` are right on `tested`."""
    offsets, places = [asked - asks for asks, asked in chosen], [asked for _, asked in chosen]
    offset, place = round(sum(offsets) / len(offsets)), max(places, key=places.count)
    return {
        "offset": sum(asked - asks == offset for asks, asked in tested) / len(tested),
        "place": sum(asked == place for _, asked in tested) / len(tested),
    }
