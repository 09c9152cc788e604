"""Takes macro F1 for the F1 of the commonest label, as if the two labels that are never answered did not count.

answer: predictions
caught by: test-predictions
message: what is it for a label that is never answered
"""

predicted = {
    "head_parameters": 2307,
    "always_first": 0.7,
    "its_macro_f1": 0.82,
    "untrained_loss": 1.386,
    "all_zeros": 0.7,
    "ceiling": 0.9,
}
