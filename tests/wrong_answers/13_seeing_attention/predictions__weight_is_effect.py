"""Takes the weight for what arrives.

answer: predictions
caught by: test-predictions
message: a large weight on nothing hands over nothing
"""

predicted = {
    "even_delimiters": 3 / 20,
    "shift": 0,
    "empty_value": 0.9,
    "swapped_heads": 0,
    "best_offset": 0.4,
    "luck": 0.22,
}
