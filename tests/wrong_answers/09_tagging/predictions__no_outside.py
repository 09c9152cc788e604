"""Forgets the tag O.

answer: predictions
caught by: test-predictions
message: one tag to begin and one to go on
"""

predicted = {
    "labels": 8,
    "scored": 4,
    "scored_all": 7,
    "always_o": 0.97,
    "border": 0.5,
    "sequences": 13,
}
