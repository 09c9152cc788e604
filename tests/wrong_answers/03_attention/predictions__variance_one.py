"""Believes that the division always makes the variance 1.

answer: predictions
caught by: test-predictions
message: not of the size of the numbers
"""

predicted = {
    "equal_weight": 0.2,
    "sum_of_weights": 240,
    "parameters": 16640,
    "growth": 4,
    "causal_zeros": 15,
    "variance": 1,
}
