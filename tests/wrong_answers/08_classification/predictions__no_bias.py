"""Forgets that each label has a bias.

answer: predictions
caught by: test-predictions
message: and one bias for each label
"""

predicted = {
    "head_parameters": 3 * 768,
    "always_first": 0.7,
    "its_macro_f1": 0.2745,
    "untrained_loss": 1.386,
    "all_zeros": 0.7,
    "ceiling": 0.9,
}
