"""Counts all three offsets as one rule.

answer: predictions
caught by: test-predictions
message: one offset has to do for all cases
"""

predicted = {
    "even_delimiters": 3 / 20,
    "shift": 0,
    "empty_value": 0,
    "swapped_heads": 0,
    "best_offset": 1.0,
    "luck": 0.22,
}
