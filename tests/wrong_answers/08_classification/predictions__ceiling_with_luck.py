"""Gives the guess half of the slips: right in 0.9, and by luck in half of the rest.

answer: predictions
caught by: test-predictions
message: its opposite is meant in one case of ten
"""

predicted = {
    "head_parameters": 2307,
    "always_first": 0.7,
    "its_macro_f1": 0.2745,
    "untrained_loss": 1.386,
    "all_zeros": 0.7,
    "ceiling": 0.95,
}
