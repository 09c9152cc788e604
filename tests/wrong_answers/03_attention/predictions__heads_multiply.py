"""Believes that every head brings matrices of E x E.

answer: predictions
caught by: test-predictions
message: heads share them out
"""

predicted = {
    "equal_weight": 0.2,
    "sum_of_weights": 240,
    "parameters": 8 * 4 * (64 * 64 + 64),
    "growth": 4,
    "causal_zeros": 15,
    "variance": 16,
}
