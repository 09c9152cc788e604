"""Counts every sequence that does not begin with I-.

answer: predictions
caught by: test-predictions
message: none after O
"""

predicted = {
    "labels": 9,
    "scored": 4,
    "scored_all": 7,
    "always_o": 0.97,
    "border": 0.5,
    "sequences": 18,
}
