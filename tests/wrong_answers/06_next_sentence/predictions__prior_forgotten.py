"""Uses r / (1 + r) although the coin is not fair.

answer: predictions
caught by: test-predictions
message: the odds before reading are 1 : 3
"""

predicted = {
    "no_news": 0.5,
    "rare_next": 0.75,
    "both_terms": 2 * math.log(2),
    "yes_sayer": -(math.log(0.9) + math.log(0.1)) / 2,
    "best_accuracy": 0.8,
    "topic_if_swapped": 0.0,
}
