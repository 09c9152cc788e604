"""Labels [CLS] and [SEP], too.

answer: predictions
caught by: test-predictions
message: [CLS] and [SEP] are no pieces
"""

predicted = {
    "labels": 9,
    "scored": 4,
    "scored_all": 9,
    "always_o": 0.97,
    "border": 0.5,
    "sequences": 13,
}
