"""Believes that larger scores make larger weights.

answer: predictions
caught by: test-predictions
message: what all scores have in common cancels
"""

predicted = {
    "even_delimiters": 3 / 20,
    "shift": 0.2,
    "empty_value": 0,
    "swapped_heads": 0,
    "best_offset": 0.4,
    "luck": 0.22,
}
