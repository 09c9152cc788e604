"""Believes that a large network can learn ten examples by heart, whatever arrives of them.

answer: predictions
caught by: test-predictions
message: one input, one answer
"""

predicted = {
    "head_parameters": 2307,
    "always_first": 0.7,
    "its_macro_f1": 0.2745,
    "untrained_loss": 1.386,
    "all_zeros": 1.0,
    "ceiling": 0.9,
}
