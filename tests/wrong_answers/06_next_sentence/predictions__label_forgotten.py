"""Lets the yes-sayer pay for the pairs that are next only.

answer: predictions
caught by: test-predictions
message: half of the pairs are not next
"""

predicted = {
    "no_news": 0.5,
    "rare_next": 0.5,
    "both_terms": 2 * math.log(2),
    "yes_sayer": -math.log(0.9),
    "best_accuracy": 0.8,
    "topic_if_swapped": 0.0,
}
