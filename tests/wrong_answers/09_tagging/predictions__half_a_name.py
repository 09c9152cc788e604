"""Gives half a point for half a name.

answer: predictions
caught by: test-predictions
message: half a name is no name
"""

predicted = {
    "labels": 9,
    "scored": 4,
    "scored_all": 7,
    "always_o": 0.97,
    "border": 0.75,
    "sequences": 13,
}
