"""Believes that a head means something by its number.

answer: predictions
caught by: test-predictions
message: their order has no meaning
"""

predicted = {
    "even_delimiters": 3 / 20,
    "shift": 0,
    "empty_value": 0,
    "swapped_heads": 1.0,
    "best_offset": 0.4,
    "luck": 0.22,
}
