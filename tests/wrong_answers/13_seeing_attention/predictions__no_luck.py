"""Expects the best of many to be like the others.

answer: predictions
caught by: test-predictions
message: chosen for its luck
"""

predicted = {
    "even_delimiters": 3 / 20,
    "shift": 0,
    "empty_value": 0,
    "swapped_heads": 0,
    "best_offset": 0.4,
    "luck": 0.1,
}
