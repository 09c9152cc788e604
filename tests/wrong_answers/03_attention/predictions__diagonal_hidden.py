"""Believes that a causal mask hides the token from itself.

answer: predictions
caught by: test-predictions
message: the diagonal is not 0
"""

predicted = {
    "equal_weight": 0.2,
    "sum_of_weights": 240,
    "parameters": 16640,
    "growth": 4,
    "causal_zeros": 21,
    "variance": 16,
}
