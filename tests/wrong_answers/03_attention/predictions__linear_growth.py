"""Believes that weights grow as the tokens do.

answer: predictions
caught by: test-predictions
message: one weight for each pair
"""

predicted = {
    "equal_weight": 0.2,
    "sum_of_weights": 240,
    "parameters": 16640,
    "growth": 2,
    "causal_zeros": 15,
    "variance": 16,
}
